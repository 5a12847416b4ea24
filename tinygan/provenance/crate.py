"""A finished run as a Workflow Run RO-Crate (profile 0.5): code, config, results, provenance.

https://w3id.org/ro/wfrun/workflow/0.5. The images are not packed; the record has their
digests.
"""

import mimetypes
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tinygan.files import atomic_folder, read_json, sha256, write_text
from tinygan.provenance.record import NAME
from tinygan.provenance.software import CODE, code_files, code_hashes

if TYPE_CHECKING:
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
_AUTHORS = "#authors"
_MAIN = "workflow/Snakefile"
# The folder of what the checkout ships; a teacher elsewhere may be large or not ours to copy.
_SHIPPED = "resources"
# What else of the checkout belongs to the code, if it is there.
_ALONGSIDE = ("README.md", "LICENSE", "CITATION.cff", "codemeta.json", "pyproject.toml")
_PINS = ("requirements.lock", "environment.yml")
_TITLES = {
    "tables": "tables of the paper",
    "figures": "figures of the paper",
    "scores": "scores and learning curves by source",
    "intra_fid": "intra-FID per class by source",
    "models": "weights of the students, with their settings",
    "cards": "model cards of the students",
}


def write_crate(results: Path, out: Path, root: Path) -> None:
    """Write the RO-Crate of a finished run into a new folder.

    Args:
        results: the run's folder of results, with provenance.json.
        out: the folder to write; absent or empty.
        root: the top folder of the checkout that made the results.

    Raises:
        FileNotFoundError: the run is not finished, or a result is missing.
        ValueError: a result or the code is not that of the record.
        FileExistsError: there are files in `out`.
        RuntimeError: the package rocrate is not installed.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise RuntimeError(
            "this needs the package rocrate; install it with: pip install rocrate"
        ) from None
    record = read_record(results)
    check_record(record, results, root)
    with atomic_folder(out, ()) as partial:
        # The run's config becomes the checkout's, so that the crate runs again as it is.
        write_text(partial / "config.yaml", yaml.safe_dump(record["config"], sort_keys=False))
        crate = ROCrate(version="1.1", gen_preview=True)
        _describe(crate, record)
        _add_code(crate, root, record)
        given = _add_inputs(crate, partial, record)
        made = _add_results(crate, results, record)
        _add_action(crate, record, given, made)
        crate.write(partial)


def read_record(results: Path) -> dict[str, Any]:
    """Return the record of a finished run.

    Raises:
        FileNotFoundError: there is none; the message names the runs that have one.
    """
    if (results / NAME).is_file():
        return read_json(results / NAME)
    finished = sorted(str(path.parent) for path in results.parent.glob(f"*/{NAME}"))
    others = f" (finished: {', '.join(finished)})" if finished else ""
    raise FileNotFoundError(
        f"{results} is not a finished run, because it has no {NAME}: run snakemake --cores 2 all,"
        f" or give another folder with --results{others}"
    )


def check_record(record: Mapping[str, Any], results: Path, root: Path) -> None:
    """Check that the results, and the code of the checkout, are those of the record.

    Raises:
        FileNotFoundError: a result is missing.
        ValueError: a result or the code differs.
    """
    again = "run snakemake --cores 2 all first"
    for name, digest in record["files"].items():
        if not (results / name).is_file():
            raise FileNotFoundError(f"{results / name} is missing: {again}")
        if sha256(results / name) != digest:
            raise ValueError(
                f"{results / name} has changed since {NAME} was written, e.g. by a run of one"
                f" variant: {again}"
            )
    here = code_hashes(root)
    if changed := [name for name in CODE if here[name] != record["code"]["sha256"][name]]:
        commit = record["code"]["commit"]
        raise ValueError(
            f"the code in {', '.join(changed)} has changed since {results} was made"
            + (f" at commit {commit[:12]}" if commit else "")
            + ": check that commit out, or bring the results up to date with"
            " snakemake --cores 2 all --forcerun provenance"
        )


def _describe(crate: "ROCrate", record: Mapping[str, Any]) -> None:
    """Describe the crate as a whole: name, date, license, authors, profiles."""
    crate.name = f"TinyGAN reproduction, run of the preset {record['preset']}"
    crate.description = (
        "Code, config, results and provenance of one run of a reproduction of TinyGAN (ACCV 2020): "
        "students distilled from a black-box GAN, scored against real images."
    )
    crate.datePublished = record["written"]
    mit = {"@type": "CreativeWork", "name": "MIT License", "description": "license of the code"}
    crate.license = _entity(crate, "https://spdx.org/licenses/MIT", mit)
    authors = {"@type": "Organization", "name": "the TinyGAN reproduction authors"}
    crate.root_dataset["author"] = crate.publisher = _entity(crate, _AUTHORS, authors)
    crate.root_dataset["conformsTo"] = [
        _entity(
            crate,
            address,
            {"@type": "CreativeWork", "name": name, "version": address.rpartition("/")[2]},
        )
        for address, name in _PROFILES.items()
    ]


def _add_code(crate: "ROCrate", root: Path, record: Mapping[str, Any]) -> None:
    """Add the workflow, the scripts and the package, and a teacher that is part of the checkout."""
    code = record["code"]
    version = (code["commit"] or record["software"]["tinygan"]) + (
        "" if code["clean"] in (True, None) else " and local changes"
    )
    crate.add_workflow(
        root / _MAIN,
        _MAIN,
        main=True,
        lang="snakemake",
        lang_version=record["software"]["snakemake"],
        properties={
            "name": "TinyGAN reproduction",
            "description": "Snakemake workflow: real images, teacher, students, scores, tables",
            "version": version,
            "encodingFormat": "text/plain",
            "license": {"@id": "https://spdx.org/licenses/MIT"},
            "creator": {"@id": _AUTHORS},
            "conformsTo": {
                "@id": "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
            },
        },
    )
    files = [file for folder in CODE for file in code_files(root / folder)]
    files += [root / name for name in (*_ALONGSIDE, *_PINS) if (root / name).is_file()]
    teacher = Path(record["teacher"]["handle"])
    if teacher.parts[:1] == (_SHIPPED,) and (root / teacher).is_dir():
        files += code_files(root / teacher)
    for file in files:
        if (name := file.relative_to(root).as_posix()) != _MAIN:
            _add_file(crate, file, name, {"about": {"@id": "./"}} if name == "README.md" else {})


def _add_inputs(crate: "ROCrate", folder: Path, record: Mapping[str, Any]) -> list["ContextEntity"]:
    """Add what the run was given: its config, and the hashes of data, teacher and extractor."""
    config = _add_file(crate, folder / "config.yaml", "config.yaml", {"name": "config of the run"})
    teacher, extractor = record["teacher"], record["extractor"]
    values = {
        "seed": record["seeds"]["run"],
        "teacher": f"{teacher['handle']}, fingerprint {teacher['fingerprint']}",
        "extractor": f"{extractor['name']}, SHA-256 of the weights {extractor['sha256']}",
    }
    for name, store in record["data"].items():
        if name.startswith("real"):  # the teacher's were made by the run
            values[f"images_{name}"] = f"{store['images']} images, digest {store['digest']}"
    given = [config]
    _parameter(crate, "input", "config", config, "File")
    for name, value in values.items():
        properties = {"@type": "PropertyValue", "name": name, "value": value}
        entity = _entity(crate, f"#value-{name}", properties)
        _parameter(crate, "input", name, entity, "PropertyValue")
        given.append(entity)
    return given


def _add_results(
    crate: "ROCrate", results: Path, record: Mapping[str, Any]
) -> list["ContextEntity"]:
    """Add the results that the record lists, and the record, as the outputs of the workflow."""
    top = f"results/{record['preset']}"
    made, folders = [], {}
    for name in [*record["files"], NAME]:
        folder = Path(name).parts[0]
        file = _add_file(crate, results / name, f"{top}/{name}", {})
        if folder == name:
            _parameter(crate, "output", name, file, "File")
            made.append(file)
        else:
            folders.setdefault(folder, []).append(file)
    for name, files in folders.items():
        dataset = crate.add_dataset(
            dest_path=f"{top}/{name}", properties={"name": _TITLES.get(name, name)}
        )
        dataset["hasPart"] = files
        _parameter(crate, "output", name, dataset, "Dataset")
        made.append(dataset)
    return made


def _add_action(
    crate: "ROCrate",
    record: Mapping[str, Any],
    given: Iterable["ContextEntity"],
    made: Iterable["ContextEntity"],
) -> None:
    """Add the run itself: the workflow was applied to the inputs and gave the results."""
    machine = record["machine"]
    crate.root_dataset["mentions"] = crate.add_action(
        crate.mainEntity,
        identifier="#run",
        object=list(given),
        result=list(made),
        properties={
            "name": f"run of the preset {record['preset']}",
            "description": (
                f"snakemake all on {machine['platform']}, {machine['processor']}; {NAME} has the "
                "versions, times and hashes"
            ),
            "endTime": record["written"],
            "agent": {"@id": _AUTHORS},
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )


def _parameter(crate: "ROCrate", side: str, name: str, example: "ContextEntity", kind: str) -> None:
    """Declare an input or output of the workflow, and the entity that it was in this run."""
    parameter = crate.add_formal_parameter(
        name, kind, identifier=f"#{side}-{name}", properties={"workExample": example}
    )
    example["exampleOfWork"] = parameter
    crate.mainEntity.append_to(side, parameter)


def _entity(crate: "ROCrate", identifier: str, properties: Mapping[str, Any]) -> "ContextEntity":
    return crate.add_jsonld({"@id": identifier, **properties})


def _add_file(
    crate: "ROCrate", source: Path, name: str, properties: Mapping[str, Any]
) -> "ContextEntity":
    kind = {".md": "text/markdown", ".yaml": "application/yaml", ".smk": "text/plain"}.get(
        source.suffix, mimetypes.guess_type(name)[0] or "application/octet-stream"
    )
    described = {"name": Path(name).name, "encodingFormat": kind, **properties}
    return crate.add_file(source, name, properties=described, record_size=True)
