"""Kernels over raw pointers to memory of one device, put into a stream: nothing is waited for."""

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
