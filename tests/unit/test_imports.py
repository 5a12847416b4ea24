"""The layers of the package: imports go one way, also inside functions, without cycles."""

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tinygan.code import ROOT, imports_of

# From the ground up; a room may import itself and what is below it. Rooms of one line are
# neighbours that do not know each other.
ORDER = [
    "files folders seeding runtime gpu errors external code syntax classes assets".split(),
    ["config"],
    ["data"],
    ["models"],
    ["teacher", "training"],
    ["generation"],
    ["export"],
    ["features", "metrics"],
    ["evaluation"],
    ["mini_diffusion", "mini_teacher", "planning", "playground", "provenance", "release"],
    ["cli"],
    ["__main__"],
]
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "tinygan").rglob("*.py")
)


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def test_every_room_is_in_the_order():
    rooms = {
        path.stem for path in Path(ROOT, "tinygan").iterdir() if not path.name.startswith("__")
    }
    assert rooms == LEVEL.keys() - {"__main__"}


@pytest.mark.parametrize("module", [name for name in MODULES if name != "tinygan"])
def test_imports_go_one_way(module):
    here = LEVEL[room(module)]
    for imported in imports_of(module):
        if imported == "tinygan":
            continue
        same = room(imported) == room(module)
        ground = here == LEVEL[room(imported)] == 0
        assert same or ground or LEVEL[room(imported)] < here, f"{module} imports {imported}"


def test_there_is_no_import_cycle():
    graph = {module: set(imports_of(module)) - {"tinygan"} for module in MODULES}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a cycle: {' -> '.join(reversed(error.args[1]))}")
