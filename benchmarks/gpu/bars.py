"""The bars of the GPU half: what is promised, in one table, and whether a report has reached it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.gpu.cases.calls import FLOAT_SEARCH
from benchmarks.gpu.cases.memory import MemoryCase

# A report's steps by name, and what is measured there: of which case, and how much.
Steps = Mapping[str, Any]
Found = tuple[str, float]

# Steps in which nothing may fail.
_SUITES = ("suite", "memcheck", "racecheck", "synccheck")
_EQUALITIES = ("launch", "equality", "digests")


@dataclass(frozen=True)
class Bar:
    """A promise: its words, what finds the figures that it is of, and their bound."""

    name: str
    find: Callable[[Steps], Iterator[Found]]
    bound: float
    # Whether more is better.
    is_least: bool = True
    unit: str = ""
    scale: float = 1.0

    def met(self, measured: float) -> bool:
        """Return whether a figure is on the right side of the bound."""
        return measured >= self.bound if self.is_least else measured <= self.bound

    def told(self, steps: Steps) -> Iterator[str]:
        """Yield a line for the bar, and one for each figure that misses it."""
        found = list(self.find(steps))
        if not found:
            yield f"not measured: {self.name}"
            return
        worst = (min if self.is_least else max)(found, key=lambda one: one[1])
        missed = [one for one in found if not self.met(one[1])]
        state = "NOT MET" if missed else "met"
        yield f"{state}: {self.name}; worst of {len(found)} {self._said(worst)}"
        for one in missed:
            yield f"    {self._said(one)}"

    def _said(self, found: Found) -> str:
        return f"{found[1] * self.scale:.3g}{self.unit} ({found[0]})"


def told(steps: Steps) -> Iterator[str]:
    """Yield the lines of all bars."""
    for bar in BARS:
        yield from bar.told(steps)


def _ours(
    op: str, figure: str, formats: tuple[str, ...] = (), **sizes: Any
) -> Callable[[Steps], Iterator[Found]]:
    """Return what finds a figure of ours, of these formats or all, in cases of these sizes."""

    def find(steps: Steps) -> Iterator[Found]:
        for name, record in steps.get("bars", {}).get("items", {}).items():
            if record.get("op") != op or any(
                record.get(key) not in values for key, values in sizes.items()
            ):
                continue
            for ours in record.get("minifloat", ()):
                figures = {**ours, **ours.get("ratios", {})}
                if figure in figures and (not formats or ours["format"] in formats):
                    yield f"{ours['format']}: {name}", figures[figure]

    return find


def _growth(steps: Steps) -> Iterator[Found]:
    """Find how much more memory a search takes for more rows."""
    for name, record in steps.get("bars", {}).get("items", {}).items():
        if record.get("op") == MemoryCase.op:
            for what, (few, many) in record.get("memory", {}).items():
                yield f"{what}: {name}", many / max(1, few)


def _failures(*names: str) -> Callable[[Steps], Iterator[Found]]:
    """Return what finds how many items failed in steps, and whether these came to their ends."""

    def find(steps: Steps) -> Iterator[Found]:
        for name in names:
            if name in steps:
                failed = sum(bool(one.get("failures")) for one in steps[name]["items"].values())
                undone = len(steps[name]["left_out"]) + (steps[name]["ended"] is not None)
                yield name, failed + undone

    return find


_READS: dict[str, Any] = {"rows": (10_000_000,), "dim": (256,), "queries": (1, 8, 9, 16, 32, 64)}
_BATCH: dict[str, Any] = {"rows": (1_000_000,), "dim": (256,), "queries": (4096,), "k": (10, 100)}
_FOUR = ("e2m1", "e2m3", "e4m3", "e5m2")
_PERCENT: dict[str, Any] = {"unit": " %", "scale": 100}

BARS = (
    Bar(
        "encode+pack is 90 % of a copy",
        _ours("encode_pack", "share_of_copy", source=(None,)),
        0.9,
        **_PERCENT,
    ),
    Bar(
        "1 to 64 queries read 10 M rows at 80 % of the bandwidth",
        _ours("search", "share_of_read", **_READS),
        0.8,
        **_PERCENT,
    ),
    Bar(
        "4096 queries on 1 M rows multiply at 500 TOPS",
        _ours("search", "tops", _FOUR, **_BATCH),
        500,
        unit=" TOPS",
    ),
    Bar(
        "those of E3M2 and E3M4 at 400 TOPS",
        _ours("search", "tops", ("e3m2", "e3m4"), **_BATCH),
        400,
        unit=" TOPS",
    ),
    Bar(
        "they take a quarter of a float16 product and topk",
        _ours("search", "torch float16", **_BATCH),
        4,
        unit=" times as fast",
    ),
    Bar(
        "one float query on 1 M rows takes 60 us, as its caller sees it",
        _ours(FLOAT_SEARCH, "median_s", rows=(1_000_000,), dim=(256,), queries=(1,)),
        60e-6,
        is_least=False,
        unit=" us",
        scale=1e6,
    ),
    Bar(
        "pinned main memory is searched at 90 % of the link",
        _ours("search of host memory", "share_of_copy_to_device"),
        0.9,
        **_PERCENT,
    ),
    Bar(
        "eight times as many rows take no more memory",
        _growth,
        1.1,
        is_least=False,
        unit=" times as much",
    ),
    Bar("the suite and the sanitizers are clean", _failures(*_SUITES), 0, is_least=False),
    Bar("answers and digests are the CPU's", _failures(*_EQUALITIES), 0, is_least=False),
)
