"""Which module imports which: every arrow goes to a room before one's own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

# Lowest first; a folder is one room.
ROOMS = {
    "minifloat": (
        "_C _cuda formats threads scaling angles arrays axes turning feedback frames files answers "
        "ops backends codec vectors scoring estimators index distributed cli __init__ __main__"
    ),
    "evaluation": (
        "command files recordings embeddings trials extractors statistics stored page extraction "
        "voxtube bitdepth separation probe __init__ __main__"
    ),
    "benchmarks": (
        "__init__ harness data codec search rivals registry quantize few_queries index files "
        "exchange recall exact scale instructions gpu __main__"
    ),
}
# What else a package may import, of this project.
BELOW = {"minifloat": (), "evaluation": ("minifloat",), "benchmarks": ("minifloat", "evaluation")}
# Each stands on the rooms before it and on no other one.
STUDIES = {"bitdepth", "separation", "probe"}
Arrow = tuple[str, str]


def modules(package: str) -> dict[str, Path]:
    """Return the modules of a package by their whole names."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted((ROOT / package).rglob("*.py"))
        if "samples" not in path.parts
    }


def imported(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield the whole names of what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                whole = f"{node.module}.{one.name}"
                is_module = whole in known or one.name in ("_C", "_cuda")
                yield whole if is_module else str(node.module)


def room(module: str) -> str:
    """Return the room of a module: its first name within its package."""
    return [*module.split("."), "__init__"][1]


def arrows(package: str) -> Iterator[Arrow]:
    known = modules(package)
    for module, path in known.items():
        for target in imported(path, known):
            if target.split(".")[0] == package and room(target) != room(module):
                yield room(module), room(target)


@pytest.mark.parametrize("package", ROOMS)
def test_every_room_has_its_place(package: str) -> None:
    there = {room(module) for module in modules(package)}
    compiled = {"_C", "_cuda"} if package == "minifloat" else set()
    assert sorted(ROOMS[package].split()) == sorted(there | compiled)


@pytest.mark.parametrize("package", ROOMS)
def test_a_room_imports_only_from_those_before_it(package: str) -> None:
    order = ROOMS[package].split()
    back = {arrow for arrow in arrows(package) if order.index(arrow[1]) > order.index(arrow[0])}
    assert back == set()


@pytest.mark.parametrize("package", ROOMS)
def test_a_package_imports_only_those_below_it(package: str) -> None:
    found = {
        (module, target)
        for module, path in modules(package).items()
        for target in imported(path, {})
        if target.split(".")[0] in {*ROOMS, "tests"} - {package, *BELOW[package]}
    }
    assert found == set()


def test_no_study_imports_another() -> None:
    assert {arrow for arrow in arrows("evaluation") if STUDIES.issuperset(arrow)} == set()
