"""Files that describe the project to others: they agree, and have what their readers require."""

import json
import tomllib

import yaml

from tinygan import __version__
from tinygan.code import ROOT

CODEMETA = json.loads((ROOT / "codemeta.json").read_text())
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Of https://w3id.org/codemeta/3.0; the keys of JSON-LD come on top.
TERMS = set(
    """
    address affiliation applicationCategory applicationSubCategory author buildInstructions citation
    codeRepository continuousIntegration contributor copyrightHolder copyrightYear dateCreated
    dateModified datePublished description developmentStatus downloadUrl editor email embargoEndDate
    encoding endDate familyName fileFormat fileSize funder funding givenName hasPart hasSourceCode
    identifier installUrl isAccessibleForFree isPartOf isSourceCodeOf issueTracker keywords license
    maintainer memoryRequirements name operatingSystem permissions position processorRequirements
    producer programmingLanguage provider publisher readme referencePublication relatedLink
    releaseNotes review reviewAspect reviewBody roleName runtimePlatform sameAs softwareHelp
    softwareRequirements softwareSuggestions softwareVersion sponsor startDate storageRequirements
    supportingData targetProduct url version
    """.split()
) | {"@context", "@type", "@id"}


def keys(value: object) -> set[str]:
    """Return the keys of a JSON value, those of the values inside it included."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return set(value if isinstance(value, dict) else []).union(*map(keys, inner))


def test_codemeta_has_terms_of_codemeta_3_alone() -> None:
    assert CODEMETA["@context"] == "https://w3id.org/codemeta/3.0"
    assert CODEMETA["@type"] == "SoftwareSourceCode"
    assert keys(CODEMETA) <= TERMS


def test_the_descriptions_of_the_project_agree() -> None:
    assert CODEMETA["version"] == CITATION["version"] == __version__
    assert "version" in PROJECT["dynamic"]
    assert CODEMETA["name"] == CITATION["title"]
    assert CODEMETA["description"] == PROJECT["description"]
    assert CODEMETA["license"].endswith(f"/{CITATION['license']}")
    assert CITATION["license"] == PROJECT["license"] == "MIT"
    assert CODEMETA["runtimePlatform"] == f"Python {PROJECT['requires-python']}"
    authors = [author["name"] for author in CITATION["authors"]]
    assert [author["name"] for author in CODEMETA["author"]] == authors
    (paper,) = CITATION["references"]
    assert CODEMETA["referencePublication"]["name"] == paper["title"]
    assert CODEMETA["referencePublication"]["datePublished"] == str(paper["year"])
    for key in ("readme", "softwareHelp", "buildInstructions"):
        assert (ROOT / CODEMETA[key].partition("#")[0]).is_file()


def test_the_workflow_catalog_finds_what_it_requires() -> None:
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme
    assert (ROOT / "workflow" / "Snakefile").is_file() and (ROOT / "config" / "README.md").is_file()
    assert list((ROOT / "workflow" / "rules").glob("*.smk"))
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["mandatory-flags"].keys() == {"desc", "flags"}
    assert usage["software-stack-deployment"] == {
        "conda": True,
        "apptainer": False,
        "apptainer+conda": False,
    }
    assert usage["report"] is True
