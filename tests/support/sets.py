"""The instruction sets that the CPU's kernels are compiled for, as their sources name them."""

import re
from typing import NamedTuple

from tests.support.paths import ROOT

_FOLDER = ROOT / "csrc" / "cpu" / "sets"


class Set(NamedTuple):
    """An instruction set: its folder, its namespace, and what its kernels may use."""

    folder: str
    namespace: str
    target: tuple[str, ...]


def sets() -> list[Set]:
    """Return all sets, the best first, whether or not this machine has them."""
    found = {}
    for path in _FOLDER.glob("*/set.cpp"):
        text = path.read_text()
        (isa,) = re.findall(r"const Isa (k\w+) =", text)
        (namespace,) = re.findall(r"^namespace minifloat::(\w+) {$", text, re.MULTILINE)
        flags = "".join(re.findall(r'GCC target\([\s\\]*"(.+)"\)', text)).split(",")
        found[isa] = Set(path.parent.name, namespace, tuple(filter(None, flags)))
    listed = re.findall(r"^    {(k\w+),", (_FOLDER / "list.cpp").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(found)
    return [found[isa] for isa in listed]
