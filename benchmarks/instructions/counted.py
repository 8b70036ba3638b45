"""The calls whose instructions are counted: each kernel once, on one thread, between two marks.

Runs under callgrind, which `benchmarks.instructions` starts, and prints a JSON line for each call.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.instructions.extension import Format, formats, load

# The C function of a mark: cheap, and called by nothing else.
MARK = "getppid"

_VALUES = 2**18
_ROWS, _DIM, _K = 1000, 512, 10
_QUERIES = (1, 64)
_SATURATE, _THREADS = True, 1

# An operation, what it comes to in values or products, and its call.
Counted = tuple[str, int, Callable[[], object]]


def main() -> None:
    """Make every call, in each instruction set that the processor has under valgrind."""
    extension = load()
    for isa in extension.available_isas():
        extension.set_isa(isa)
        for format in formats(extension):
            # One by one, for a call's memory lives until the next is asked for.
            for op, amount, call in chain(
                _elementwise(extension, format), _search(extension, format)
            ):
                # What only a first call does is left out.
                call()
                os.getppid()
                call()
                os.getppid()
                print(json.dumps({"isa": isa, "op": op, "format": format.name, "amount": amount}))


def _elementwise(extension: Any, format: Format) -> Iterator[Counted]:
    x, decoded = _normal(_VALUES), np.empty(_VALUES, np.float32)
    codes, packed = np.empty(_VALUES, np.uint8), np.empty(format.row_bytes(_VALUES), np.uint8)
    source = extension.SOURCES.index("float32")
    values, out = (format.index, source, _SATURATE, x.ctypes.data), (decoded.ctypes.data,)
    for op, *arguments in (
        ("encode", *values, _VALUES, codes.ctypes.data),
        ("decode", format.index, codes.ctypes.data, _VALUES, *out),
        ("encode_pack", *values, 1, _VALUES, packed.ctypes.data),
        ("unpack", format.index, packed.ctypes.data, 1, _VALUES, codes.ctypes.data),
    ):
        yield op, _VALUES, partial(getattr(extension, op), *arguments, _THREADS)


def _search(extension: Any, format: Format) -> Iterator[Counted]:
    """Yield searches by packed rows of the database itself, and by rows of its lane's elements."""
    x = _normal(_ROWS * _DIM)
    codes = np.empty((_ROWS, format.row_bytes(_DIM)), np.uint8)
    norms = np.empty(_ROWS, np.float32)
    shape = (_ROWS, _DIM)
    source = (format.index, extension.SOURCES.index("float32"), _SATURATE, x.ctypes.data)
    extension.encode_pack(*source, *shape, codes.ctypes.data, _THREADS)
    extension.reciprocal_norms(format.index, codes.ctypes.data, *shape, norms.ctypes.data, _THREADS)
    elements = _elements(extension, format, x.reshape(shape))
    element_norms = (1 / np.linalg.norm(elements.astype(np.float32), axis=1)).astype(np.float32)
    database = extension.Rows(codes.ctypes.data, norms.ctypes.data, _ROWS, True)
    everything = extension.Selection(None, None, 0)
    for queries in _QUERIES:
        scores, rows = np.empty((queries, _K), np.float32), np.empty((queries, _K), np.int64)
        for source_name, side in (
            ("codes", (codes.ctypes.data, norms.ctypes.data, queries, True)),
            ("float32", (elements.ctypes.data, element_norms.ctypes.data, queries, False)),
        ):
            sides = extension.Sides(format.index, _DIM, extension.Rows(*side), database)
            out = (scores.ctypes.data, rows.ctypes.data, _THREADS)
            op = f"search from {source_name}, queries {queries}"
            call = partial(extension.best, extension.Best(sides, everything, _K), *out)
            yield op, queries * _ROWS * _DIM, call


def _normal(values: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(values, np.float32)


def _elements(extension: Any, format: Format, x: NDArray[np.float32]) -> NDArray[Any]:
    """Return float rows as searches take them: integers up to the format's limit, or floats."""
    if format.lane == "float":
        return x
    limit: int = extension.query_max(format.index, _DIM)
    largest: NDArray[np.float32] = np.abs(x).max(1, keepdims=True)
    return np.round(x * (limit / largest)).astype(np.int16)


if __name__ == "__main__":
    main()
