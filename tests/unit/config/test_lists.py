"""Lists that are written twice, each for a reason: they agree."""

import dataclasses
import re
from importlib import import_module

import yaml
from helpers.paths import ROOT

from tinygan.config.schema import RENAMED, SCHEMA
from tinygan.features.extract import INCEPTION_GRAPH
from tinygan.teacher import MODULES
from tinygan.training.losses import TERMS
from tinygan.training.settings import StudentSettings, TrainSettings

SCHEMA_TEXT = yaml.safe_load(SCHEMA.read_text())
PAGE = (ROOT / "config/README.md").read_text()


def keys(section: str) -> dict:
    """Return the keys of a section in the schema, with what it says of each."""
    described = SCHEMA_TEXT["properties"][section]
    if "$ref" in described:
        described = SCHEMA_TEXT["$defs"][described["$ref"].split("/")[-1]]
    return described.get("properties", {})


def test_the_page_on_the_config_has_every_key_and_no_other() -> None:
    rows, section = {"": set()}, ""
    for line in PAGE.splitlines():
        if line.startswith("## "):
            section = line[3:] if line[3:] in SCHEMA_TEXT["properties"] else ""
            rows.setdefault(section, set())
        elif row := re.match(r"\| `(\w+)`", line):
            rows[section].add(row[1])
    for section in SCHEMA_TEXT["properties"]:
        if section in ("variants", "sweep", "sources"):  # whose keys are names
            assert section in rows
        elif keys(section):
            assert rows.get(section) == keys(section).keys(), section
        else:
            assert section in rows[""], section


def test_the_settings_of_a_training_are_the_keys_of_the_schema_with_its_defaults() -> None:
    for section, settings in (("student", StudentSettings), ("train", TrainSettings)):
        fields = {field.name: field for field in dataclasses.fields(settings)}
        # A training has one of the seeds, see `derived.resolve_variant`.
        assert fields.keys() == keys(section).keys() - {"seeds"}
        for name, described in keys(section).items():
            if described.get("default") is not None and name in fields:
                assert fields[name].default == described["default"], name


def test_the_terms_of_the_paper_are_in_the_schema() -> None:
    assert keys("loss").keys() == TERMS.keys() | {"pixel_zero_at"}


def test_kinds_of_teacher_and_the_graph_are_those_of_the_schema() -> None:
    assert keys("teacher")["kind"]["enum"] == list(MODULES)
    assert all(hasattr(import_module(MODULES[kind]), "load_teacher") for kind in MODULES)
    assert keys("metrics")["inception_graph"]["default"] == INCEPTION_GRAPH


def test_a_renamed_key_is_gone_and_its_new_name_is_there() -> None:
    for old, new in RENAMED.items():
        section, _, key = old.partition(".")
        renamed = keys(section) if "." in new else SCHEMA_TEXT["properties"]
        assert key not in keys(section) and new.rpartition(".")[2] in renamed
