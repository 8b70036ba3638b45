"""Machine code of kernels, as cuobjdump prints it: their instructions and their loops."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = Path(__file__).parents[3] / "minifloat"

# An address, a predicate perhaps, the name, what it works on.
_LINE = re.compile(
    r"^\s+/\*(?P<address>[0-9a-f]{4,})\*/\s+(?P<predicate>@!?U?P\w+ )?\s*(?P<name>[A-Z][\w.]*)"
    r"(?P<operands>[^;]*);",
    re.MULTILINE,
)
_TARGET = re.compile(r"\b(0x[0-9a-f]+)\s*$")
# Parts of a demangled name that all have.
_COMMON = re.compile(r"minifloat::|cuda::|\(anonymous namespace\)::")


class MissingError(Exception):
    """There is no code to look at, or no program to print it; the message says how to get it."""


@dataclass(frozen=True)
class Instruction:
    """One of a kernel's: its name with all that stands behind dots, and where it may branch to."""

    address: int
    name: str
    is_conditional: bool
    operands: str

    @property
    def kind(self) -> str:
        """The name's first part."""
        return self.name.partition(".")[0]

    @property
    def target(self) -> int | None:
        """Where a branch goes; None of all others."""
        found = _TARGET.search(self.operands) if self.kind == "BRA" else None
        return int(found[1], 16) if found else None

    @property
    def ends(self) -> bool:
        """Whether the next instruction never follows."""
        return self.kind in ("BRA", "BRX", "EXIT", "RET") and not self.is_conditional


@dataclass(frozen=True)
class Loop:
    """Instructions that follow one another again and again, those of loops within it too."""

    header: int
    instructions: tuple[Instruction, ...]
    # What is in no loop within it, and the shortest way round: what seldom runs is not on it.
    own: tuple[Instruction, ...]
    shortest: tuple[Instruction, ...]
    # In how many loops it is.
    depth: int


@dataclass(frozen=True)
class Kernel:
    """A kernel's name, without the namespaces and parameters that all have, and its code."""

    name: str
    instructions: tuple[Instruction, ...]

    @cached_property
    def loops(self) -> list[Loop]:
        """Its loops in the order of their first instructions, outer ones before inner ones."""
        code = self.instructions
        bodies: dict[int, set[int]] = {}
        successors = _successors(code)
        for header, body in _bodies(successors):
            bodies.setdefault(header, set()).update(body)
        loops = []
        for header, body in sorted(bodies.items(), key=lambda one: (one[0], -len(one[1]))):
            inner = [other for at, other in bodies.items() if at in body and at != header]
            own = body.difference(*inner)
            depth = sum(header in other for other in bodies.values()) - 1
            ways = (body, own, _shortest(header, body, successors))
            whole, bare, short_way = (tuple(code[i] for i in sorted(some)) for some in ways)
            loops.append(Loop(code[header].address, whole, bare, short_way, depth))
        return loops

    @property
    def looping(self) -> list[Instruction]:
        """All instructions that are in a loop, once each."""
        return [one for loop in self.loops for one in loop.own]


def extension() -> Path:
    """Return what nvcc has built; MissingError where it has not."""
    found = list(_PACKAGE.glob("_cuda.*.so"))
    if not found:
        raise MissingError("minifloat._cuda is not built: that needs nvcc")
    return found[0]


def disassembled(file: Path, *options: str) -> str:
    """Return what cuobjdump, which Triton's package carries, prints of a file."""
    triton = find_spec("triton")
    if triton is None or triton.origin is None:
        raise MissingError("cuobjdump comes with Triton: pip install triton")
    tools = Path(triton.origin).parent / "backends" / "nvidia" / "bin"
    command = [str(tools / "cuobjdump"), *options, str(file)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = subprocess.run(["c++filt"], input=printed, check=True, capture_output=True, text=True)
    return names.stdout


def kernels(file: Path, architecture: str | None = None, pattern: str = "") -> list[Kernel]:
    """Return a file's kernels for one architecture whose names have a pattern, in its order."""
    chosen = ("-arch", architecture) if architecture else ()
    parts = disassembled(file, "-sass", *chosen).split("Function : ")[1:]
    named = ((short(part.partition("\n")[0]), part) for part in parts)
    return [Kernel(name, parsed(part)) for name, part in named if re.search(pattern, name)]


def short(name: str) -> str:
    """Return a kernel's demangled name without its namespaces and the types of its parameters."""
    bare = _COMMON.sub("", name.strip()).removeprefix("void ")
    return re.sub(r"(?<=[\w>])\(.*$", "", bare)


def parsed(text: str) -> tuple[Instruction, ...]:
    """Return the instructions of one kernel, less those that only fill its end."""
    found = [
        Instruction(int(m["address"], 16), m["name"], bool(m["predicate"]), m["operands"].strip())
        for m in _LINE.finditer(text)
    ]
    # A branch to itself and NOPs are behind the last instruction.
    while found and (found[-1].kind == "NOP" or found[-1].target == found[-1].address):
        found.pop()
    return tuple(found)


def _successors(code: Sequence[Instruction]) -> list[tuple[int, ...]]:
    """Return which instructions may follow each; calls return to the next one."""
    places = {one.address: i for i, one in enumerate(code)}
    found = []
    for i, one in enumerate(code):
        after = [] if one.ends or i + 1 == len(code) else [i + 1]
        if one.target in places:
            after.append(places[one.target])
        found.append(tuple(after))
    return found


def _bodies(successors: Sequence[tuple[int, ...]]) -> Iterator[tuple[int, set[int]]]:
    """Yield the first instruction of each loop with all of them.

    A loop is where a branch goes back to what all ways to it have passed: code that stands behind
    the end because it seldom runs, and branches back from there, makes none.
    """
    before: dict[int, list[int]] = {}
    for i, after in enumerate(successors):
        for j in after:
            before.setdefault(j, []).append(i)
    above = _dominators(successors, before)
    for i, after in enumerate(successors):
        for header in after:
            if not _dominates(header, i, above):
                continue
            body, left = {header}, [i]
            while left:
                at = left.pop()
                if at not in body:
                    body.add(at)
                    left += [j for j in before.get(at, ()) if j in above]
            yield header, body


def _shortest(header: int, body: set[int], successors: Sequence[tuple[int, ...]]) -> list[int]:
    """Return the fewest instructions that lead from a loop's first one back to it."""
    came_from, level = {header: header}, [header]
    while True:
        following = []
        for at in level:
            for after in successors[at]:
                if after == header:
                    way = [at]
                    while way[-1] != header:
                        way.append(came_from[way[-1]])
                    return way
                if after in body and after not in came_from:
                    came_from[after] = at
                    following.append(after)
        level = following


def _dominators(
    successors: Sequence[tuple[int, ...]], before: Mapping[int, Sequence[int]]
) -> dict[int, int]:
    """Return the last instruction that all ways from the first one to each pass, by Cooper et al.

    What cannot be reached has none; the first one's is itself.
    """
    order = _ordered(successors)
    number = {at: i for i, at in enumerate(order)}
    above = {0: 0} if order else {}
    changed = True
    while changed:
        changed = False
        for at in order[1:]:
            some = [j for j in before[at] if j in above]
            meet = some[0]
            for j in some[1:]:
                while meet != j:
                    if number[meet] > number[j]:
                        meet = above[meet]
                    else:
                        j = above[j]
            if above.get(at) != meet:
                above[at], changed = meet, True
    return above


def _ordered(successors: Sequence[tuple[int, ...]]) -> list[int]:
    """Return what can be reached, each after some way to it: in reverse postorder."""
    seen, done = {0}, []
    stack = [(0, iter(successors[0]))] if successors else []
    while stack:
        at, rest = stack[-1]
        follower = next((j for j in rest if j not in seen), None)
        if follower is None:
            done.append(at)
            stack.pop()
        else:
            seen.add(follower)
            stack.append((follower, iter(successors[follower])))
    return done[::-1]


def _dominates(one: int, other: int, above: Mapping[int, int]) -> bool:
    """Return whether all ways to the other pass the one; not where no way leads there."""
    while other in above and other != one and other != above[other]:
        other = above[other]
    return other == one and other in above
