"""The instruction sets that the CPU's kernels are compiled for, as their sources name them."""

import re
from typing import NamedTuple

from minifloat import _C
from tests.support.paths import ROOT

_FOLDER = ROOT / "csrc" / "cpu" / "sets"

# What some sets would answer, computed without their instructions; only by name can it be chosen.
STAND_INS = ("amx_in_memory",) if "avx512vnni" in _C.available_isas() else ()
# All sets that can be tried here.
TRIED = (*_C.available_isas(), *STAND_INS)


class Set(NamedTuple):
    """An instruction set: its folder, its namespace, and what its kernels may use."""

    folder: str
    namespace: str
    target: tuple[str, ...]


def sets() -> list[Set]:
    """Return all sets, the best first, whether or not this machine has them."""
    found = {}
    for path in _FOLDER.glob("*/*.cpp"):
        text = path.read_text()
        (isa,) = re.findall(r"const Isa&? (\w+)(?:\(\) {| =)", text)
        (namespace,) = re.findall(r"^namespace minifloat::(\w+) {$", text, re.MULTILINE)
        flags = "".join(re.findall(r'MINIFLOAT_(?:WIDE_)?TARGET\(\s*"(.+)"\)', text)).split(",")
        found[isa] = Set(path.parent.name, namespace, tuple(filter(None, flags)))
    listed = re.findall(
        r"^    {(?:constant<)?(\w+)>?,", (_FOLDER / "list.cpp").read_text(), re.MULTILINE
    )
    assert sorted(listed) == sorted(found)
    return [found[isa] for isa in listed]
