"""The ways of the CUDA kernels (`csrc/cuda/ways.h`): what is the old one, and where it can matter.

Their names are those of `_cuda.Ways` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import minifloat as mf
from benchmarks.gpu.cases.calls import EXACT_SEARCH, FLOAT_SEARCH, RANGE_SEARCH
from benchmarks.harness.timing import Run

# What is asked of a case: its sizes by name, and a format.
Sizes = Mapping[str, Any]

# The old values of what is no choice between two.
OLD = {"fewest_by_warpgroup": 65}


@dataclass(frozen=True)
class Way:
    """One of the options of this process, and its old value."""

    name: str
    old: Any

    def off(self, run: Run) -> Run:
        """Return a run the old way, after which the option is what it was, whatever happens."""

        def old_way() -> object:
            options = _options()
            before = getattr(options, self.name)
            setattr(options, self.name, self.old)
            try:
                return run()
            finally:
                setattr(options, self.name, before)

        return old_way


def all_ways() -> list[Way]:
    """Return all ways of the extension, in its order."""
    options = _options()
    names = [name for name, one in vars(type(options)).items() if isinstance(one, property)]
    return [Way(name, OLD.get(name, False)) for name in names]


def ways_of(op: str, sizes: Sizes, format: mf.Format) -> list[Way]:
    """Return the ways that can matter to a case; one that nobody has told of may to all."""
    return [way for way in all_ways() if SHOWN.get(way.name, _always)(op, sizes, format)]


def _options() -> Any:
    from minifloat import _cuda

    return _cuda.ways()


def _always(op: str, sizes: Sizes, format: mf.Format) -> bool:
    return True


def _searches(op: str, sizes: Sizes, format: mf.Format) -> bool:
    # Lists, thresholds and merges are of every search for the best, of few queries and of many;
    # where originals are read, that takes longest.
    return "k" in sizes and op not in (RANGE_SEARCH, EXACT_SEARCH)


def _few(op: str, sizes: Sizes, format: mf.Format) -> bool:
    # More queries than a tile of a warp has are multiplied by groups of warps, whatever is asked.
    return "queries" in sizes and sizes["queries"] <= 8


def _middling(op: str, sizes: Sizes, format: mf.Format) -> bool:
    # What warps multiplied until warpgroups took fewer queries: rows of whole steps of 64 codes.
    return "queries" in sizes and 9 <= sizes["queries"] <= 64 and sizes["dim"] % 64 == 0


def _wide(op: str, sizes: Sizes, format: mf.Format) -> bool:
    # Rows that do not fit beside the queries of a whole tile, from the first limit (512) on.
    return "queries" in sizes and sizes["queries"] >= 9 and sizes["dim"] > 512


def _two_bytes(op: str, sizes: Sizes, format: mf.Format) -> bool:
    # Elements of two bytes are those of one lane.
    return "queries" in sizes and format.lane == "int16"


def _long_lists(op: str, sizes: Sizes, format: mf.Format) -> bool:
    # Blocks that a multiprocessor runs change with the bytes of their lists: with k.
    return _searches(op, sizes, format) and sizes["k"] >= 100


def _packs(op: str, sizes: Sizes, format: mf.Format) -> bool:
    # Codes of a byte are not packed.
    return op == "encode_pack" and format.bits < 8


def _prepares(op: str, sizes: Sizes, format: mf.Format) -> bool:
    # Float queries; rows in a frame are packed before they are searched.
    return op in (FLOAT_SEARCH, EXACT_SEARCH)


def _range_searches(op: str, sizes: Sizes, format: mf.Format) -> bool:
    # Hits are those of thresholds.
    return op == RANGE_SEARCH


# In which cases each can matter; what stands in a function is why.
SHOWN: dict[str, Callable[[str, Sizes, mf.Format], bool]] = {
    "streams_rows": _few,
    "starts_early": _searches,
    "has_long_lists": _searches,
    "merges_by_list": _searches,
    "fewest_by_warpgroup": _middling,
    "narrows_tiles": _wide,
    "has_three_products": _two_bytes,
    "asks_occupancy": _long_lists,
    "prepares_at_once": _prepares,
    "appends_hits": _range_searches,
    "packs_in_registers": _packs,
}
