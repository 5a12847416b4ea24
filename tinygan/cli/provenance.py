"""Subcommands that say where the results of a finished run come from."""

from pathlib import Path

from tinygan.cli.options import FILE, FOLDER, OUT_FILE, Arguments, Config, Subcommand


def _provenance(config: Config, arguments: Arguments) -> None:
    """Record what decided the results of a finished run, and what it took.

    Writes JSON, and beside it the same as reStructuredText for the report: code, config, packages,
    machine, seeds, hashes of data, teacher and extractor, time and memory by rule.
    """
    from tinygan.code import ROOT
    from tinygan.files import write_json, write_text
    from tinygan.provenance.page import page
    from tinygan.provenance.record import record

    recorded = record(
        config,
        arguments.results,
        arguments.files,
        ROOT,
        environments=arguments.environments,
        snakemake=arguments.snakemake,
    )
    write_text(arguments.out.with_suffix(".rst"), page(recorded))
    write_json(arguments.out, recorded)


def _rocrate(_: Config, arguments: Arguments) -> None:
    """Pack a finished run as a Workflow Run RO-Crate: its code, config, results and provenance.

    Needs the package rocrate: pip install rocrate.
    """
    from tinygan.code import ROOT
    from tinygan.provenance.crate import write_crate

    write_crate(arguments.results, arguments.out, ROOT)
    print(f"{arguments.out}: a Workflow Run RO-Crate of {arguments.results}")


_RESULTS = FOLDER | {"help": "the run's folder, such as results/mini"}
_MANY = {"nargs": "*", "type": Path, "default": [], "metavar": "FILE"}

SUBCOMMANDS: dict[str, Subcommand] = {
    "provenance": (
        _provenance,
        {
            "--results": _RESULTS,
            "--files": _MANY | {"help": "results to list with their SHA-256"},
            "--environments": _MANY | {"help": "YAML files of the conda environments of the rules"},
            "--snakemake": {"metavar": "VERSION", "help": "version of Snakemake that ran the jobs"},
            "--out": OUT_FILE | {"help": "JSON file to write"},
        },
    ),
}
STANDALONE: dict[str, Subcommand] = {
    "rocrate": (
        _rocrate,
        {
            "--results": _RESULTS | {"required": False, "default": Path("results/mini")},
            "--out": FILE | {"metavar": "FOLDER", "help": "folder to write; must not exist"},
        },
    ),
}
