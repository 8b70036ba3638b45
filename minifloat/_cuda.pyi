"""Kernels over raw pointers to memory of one device, put into a stream: nothing is waited for."""

from typing import Final

MOST_ROWS: Final[int]

def encode(
    format: int, source: int, saturate: bool, values: int, count: int, out: int, stream: int, /
) -> None: ...
def decode(format: int, codes: int, count: int, out: int, stream: int, /) -> None: ...
def pack(format: int, codes: int, rows: int, dim: int, out: int, stream: int, /) -> None: ...
def unpack(format: int, packed: int, rows: int, dim: int, out: int, stream: int, /) -> None: ...
def encode_pack(
    format: int,
    source: int,
    saturate: bool,
    values: int,
    rows: int,
    dim: int,
    out: int,
    stream: int,
    /,
) -> None: ...
def reciprocal_norms(
    format: int, packed: int, rows: int, dim: int, out: int, stream: int, /
) -> None: ...

class Sides:
    """Two sets of rows that are multiplied."""

    def __init__(
        self,
        format: int,
        dim: int,
        a: int,
        a_packed: bool,
        a_norms: int,
        a_count: int,
        b: int,
        b_norms: int,
        b_count: int,
        /,
    ) -> None: ...

class Memory:
    """Memory of the device, and how many bytes it has."""

    def __init__(self, data: int, bytes: int, /) -> None: ...

def scores_workspace(sides: Sides, /) -> int: ...
def scores(sides: Sides, workspace: Memory, out: int, stream: int, /) -> None: ...
def pair_scores(sides: Sides, pairs: int, count: int, out: int, stream: int, /) -> None: ...
def search_workspace(sides: Sides, k: int, /) -> int: ...
def search(
    sides: Sides,
    mask: int,
    ranges: int,
    range_count: int,
    k: int,
    workspace: Memory,
    scores: int,
    rows: int,
    stream: int,
    /,
) -> None: ...
