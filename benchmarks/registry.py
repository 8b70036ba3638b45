"""What is measured: every operation, every rival, and the cases that choices of them make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import minifloat as mf
from benchmarks import elementwise_rivals, scoring_rivals
from benchmarks.cases import FLOATS, Case, Op, Rival, Sizes
from benchmarks.elementwise import Elementwise, ElementwiseCase, call_unpack, make_call, make_kernel
from benchmarks.scoring import Scoring, best_scores, call_scores, call_search, found_rows
from minifloat import _C

CODES = "codes"
# What an operation that has a choice may read.
SOURCES = (*FLOATS, CODES)


def _count(case: ElementwiseCase) -> tuple[int, ...]:
    return (case.values,)


def _rows(case: ElementwiseCase) -> tuple[int, ...]:
    return case.shape


OPS: tuple[Op, ...] = (
    Elementwise("encode", FLOATS, make_call(mf.encode), make_kernel(_C.encode, _count)),
    Elementwise("decode", (CODES,), make_call(mf.decode), make_kernel(_C.decode, _count)),
    Elementwise(
        "encode_pack", FLOATS, make_call(mf.encode_pack), make_kernel(_C.encode_pack, _rows)
    ),
    Elementwise("pack", (CODES,), make_call(mf.pack), make_kernel(_C.pack, _rows)),
    Elementwise("unpack", ("packed",), call_unpack, make_kernel(_C.unpack, _rows)),
    Scoring("scores", SOURCES, call_scores, best_scores),
    Scoring("search", SOURCES, call_search, found_rows),
)
RIVALS: tuple[Rival[Any], ...] = (*elementwise_rivals.RIVALS, *scoring_rivals.RIVALS)


def cases(
    ops: Sequence[Op], formats: Sequence[mf.Format], sources: Sequence[str], sizes: Sizes
) -> list[Case]:
    """Return every case of the choices; `sources` choose where an operation reads several.

    Raises ValueError for an operation that reads none of the sources.
    """
    made: list[Case] = []
    for op in ops:
        read = [s for s in sources if s in op.sources] if len(op.sources) > 1 else op.sources
        if not read:
            allowed = ", ".join(op.sources)
            raise ValueError(f"{op.name} needs one of {allowed}; got {', '.join(sources)}")
        for format in formats:
            for source in read:
                made.extend(op.cases(format, source, sizes))
    return made
