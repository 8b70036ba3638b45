"""Which C++ source includes which: every arrow goes to a room before one's own."""

import re
from collections.abc import Iterator

import pytest

from tests.support.paths import ROOT
from tests.support.sets import sets

CSRC = ROOT / "csrc"

# Lowest first; a folder is one room, and so are sources of one name.
ROOMS = {
    "": "format frame query python cpu cuda",
    "cpu": (
        "threads kernels sets pieces codec frames pages originals peak reserved interrupts search "
        "module"
    ),
    # A set borrows only from those that are listed after it.
    "cpu/sets": " ".join(["set", *dict.fromkeys(one.folder for one in reversed(sets())), "list"]),
    "cpu/search": "search plan queries blocks bounds scores pairs best above",
    "cuda": "warps emulator device operators ways codec preparing products search module tests",
    "cuda/products": (
        "bound operands decoding rows shares elements queries coordinates warp warpgroup"
    ),
}
# These stand side by side.
APART = {("cpu", "cuda"), ("warp", "warpgroup")}

INCLUDE = re.compile(r'^#include "(.+)"$', re.MULTILINE)


def room(path: str) -> str:
    """Return the room of a source, given from its folder on."""
    return path.split("/")[0].split(".")[0]


def arrows(folder: str) -> Iterator[tuple[str, str]]:
    """Yield each source's room with those of what it includes, each also of a source by itself."""
    root = CSRC / folder
    prefix = f"{folder}/" if folder else ""
    for path in sorted(root.rglob("*")):
        if path.suffix in (".h", ".cpp", ".cu"):
            here = room(str(path.relative_to(root)))
            yield here, here
            for included in INCLUDE.findall(path.read_text()):
                assert (CSRC / included).is_file(), f"{path}: {included}"
                if included.startswith(prefix):
                    yield here, room(included.removeprefix(prefix))


@pytest.mark.parametrize("folder", ROOMS)
def test_every_room_has_its_place(folder: str) -> None:
    assert sorted(ROOMS[folder].split()) == sorted({here for here, _ in arrows(folder)})


@pytest.mark.parametrize("folder", ROOMS)
def test_a_room_includes_only_from_those_before_it(folder: str) -> None:
    order = ROOMS[folder].split()
    back = {arrow for arrow in arrows(folder) if order.index(arrow[1]) > order.index(arrow[0])}
    assert back == set()


def test_rooms_that_stand_side_by_side_do_not_include_each_other() -> None:
    both = APART | {(right, left) for left, right in APART}
    assert both.isdisjoint(arrow for folder in ROOMS for arrow in arrows(folder))
