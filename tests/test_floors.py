"""The house has floors: a module imports from its own room and from the floors below, never upward."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "coursework"

FLOORS = {"_common": 1, "backprop": 2, "gradients": 2, "finetune": 2, "publish": 3, "cli": 4}


def room_of(module: str) -> str:
    """The room of `coursework.ROOM.module`."""
    return module.split(".")[1]


def imported_rooms(file: Path) -> set[str]:
    """The rooms whose modules `file` imports, at its top or inside functions."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} imports relatively: the rooms could not be told apart"
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {room_of(module) for module in modules if module.startswith("coursework.")}


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_imports_only_itself_and_the_floors_below(room: str) -> None:
    files = [PACKAGE / f"{room}.py"] if room == "cli" else sorted((PACKAGE / room).glob("**/*.py"))
    assert files
    for file in files:
        foreign = imported_rooms(file) - {room}
        assert {other for other in foreign if FLOORS.get(other, 5) >= FLOORS[room]} == set(), file.name
