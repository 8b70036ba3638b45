"""What scripts/bench measures: every operation, and the cases that choices of them make."""

from __future__ import annotations

from collections.abc import Sequence

import minifloat as mf
from benchmarks import codec, search
from benchmarks.harness.calls import FLOATS, CallCase, Op, Sizes

# What an operation that has a choice may read.
SOURCES = (*FLOATS, codec.CODES)
OPS: dict[str, Op] = {**codec.OPS, **search.OPS}


def cases(
    ops: Sequence[Op], formats: Sequence[mf.Format], sources: Sequence[str], sizes: Sizes
) -> list[CallCase]:
    """Return every case of the choices; `sources` choose where an operation reads several.

    Raises ValueError for an operation that reads none of the sources.
    """
    made: list[CallCase] = []
    for op in ops:
        read = [s for s in sources if s in op.sources] if len(op.sources) > 1 else op.sources
        if not read:
            allowed = ", ".join(op.sources)
            raise ValueError(f"{op.name} needs one of {allowed}; got {', '.join(sources)}")
        for format in formats:
            for source in read:
                made.extend(op.cases(format, source, sizes))
    return made
