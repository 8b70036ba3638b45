"""Kernels over raw pointers: addresses of contiguous, checked arrays."""

from typing import Final, Literal

FORMATS: Final[
    tuple[
        tuple[str, int, int, Literal["ieee", "nan", "none"], Literal["int8", "int16", "float"]], ...
    ]
]
QUERY_MAX: Final[int]

def available_isas() -> list[str]: ...
def isa() -> str: ...
def query_max(format: int, dim: int, /) -> int: ...
def set_isa(name: str, /) -> None: ...
def prefer_huge_pages(data: int, bytes: int, /) -> None: ...
def multiply(format: int, products: int, threads: int, /) -> int: ...
def encode(
    format: int, source: int, saturate: bool, values: int, count: int, out: int, threads: int, /
) -> None: ...
def decode(format: int, codes: int, count: int, out: int, threads: int, /) -> None: ...
def pack(format: int, codes: int, rows: int, dim: int, out: int, threads: int, /) -> None: ...
def unpack(format: int, packed: int, rows: int, dim: int, out: int, threads: int, /) -> None: ...
def encode_pack(
    format: int,
    source: int,
    saturate: bool,
    values: int,
    rows: int,
    dim: int,
    out: int,
    threads: int,
    /,
) -> None: ...
def reciprocal_norms(
    format: int, packed: int, rows: int, dim: int, out: int, threads: int, /
) -> None: ...
def scores(
    format: int,
    dim: int,
    a: int,
    a_packed: bool,
    a_norms: int,
    a_count: int,
    b: int,
    b_norms: int,
    b_count: int,
    out: int,
    threads: int,
    /,
) -> None: ...
def pair_scores(
    format: int,
    dim: int,
    a: int,
    a_packed: bool,
    a_norms: int,
    a_count: int,
    b: int,
    b_norms: int,
    b_count: int,
    pairs: int,
    count: int,
    out: int,
    threads: int,
    /,
) -> None: ...
def search(
    format: int,
    dim: int,
    a: int,
    a_packed: bool,
    a_norms: int,
    a_count: int,
    b: int,
    b_norms: int,
    b_count: int,
    mask: int,
    ranges: int,
    range_count: int,
    k: int,
    scores: int,
    indices: int,
    threads: int,
    /,
) -> None: ...
