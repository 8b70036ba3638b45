"""Kernels over raw pointers: addresses of contiguous, checked arrays."""

from typing import Final, Literal

FORMATS: Final[
    tuple[
        tuple[str, int, int, Literal["ieee", "nan", "none"], Literal["int8", "int16", "float"]], ...
    ]
]
SOURCES: Final[tuple[str, ...]]
QUERY_MAX: Final[int]
ANGLES: Final[int]

def available_isas() -> list[str]: ...
def isa() -> str: ...
def query_max(format: int, dim: int, /) -> int: ...
def set_isa(name: str, /) -> None: ...
def least_cost(format: int, queries: int, /) -> float: ...
def one_plane(format: int, /) -> int: ...
def prefer_huge_pages(data: int, bytes: int, /) -> None: ...

class Reserved:
    """A buffer whose pages are there once they are written to; MemoryError if refused.

    `map_file` puts bytes of a file in the place of pages, and returns 0 or the number of an error.
    """

    def __init__(self, bytes: int, /) -> None: ...

def map_file(reserved: Reserved, file: int, offset: int, at: int, bytes: int, /) -> int: ...
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

class Rounding:
    """How rows of values become codes."""

    def __init__(
        self, format: int, source: int, scale: int, estimator: int, saturates: bool, /
    ) -> None: ...

class ValueRows:
    """Rows of values, each in one piece and so many bytes after the one before."""

    def __init__(self, values: int, stride: int, count: int, dim: int, /) -> None: ...

def quantize(
    rounding: Rounding, rows: ValueRows, packed: int, norms: int, threads: int, /
) -> int: ...

class InLane:
    """Elements of a lane, and the reciprocal norm of each row of them."""

    def __init__(self, elements: int, norms: int, /) -> None: ...

def to_lane(format: int, source: int, rows: ValueRows, out: InLane, threads: int, /) -> int: ...

class Frame:
    """Axes of which rows keep their coordinates, the turn of what is left, and shares of errors.

    Order and shares may be 0.
    """

    def __init__(
        self,
        dim: int,
        axes: int,
        axis_count: int,
        signs: int,
        rounds: int,
        order: int,
        shares: int,
        /,
    ) -> None: ...

def project(
    source: int,
    rows: ValueRows,
    frame: Frame,
    rest: int,
    coordinates: int,
    lengths: int,
    threads: int,
    /,
) -> None: ...
def quantize_in_frame(
    rounding: Rounding,
    frame: Frame,
    rows: ValueRows,
    codes: int,
    norms: int,
    coordinates: int,
    threads: int,
    /,
) -> int: ...
def to_lane_in_frame(
    format: int,
    source: int,
    frame: Frame,
    rows: ValueRows,
    out: InLane,
    coordinates: int,
    threads: int,
    /,
) -> int: ...
def angles(
    source: int,
    rows: ValueRows,
    chords: int,
    format: int,
    packed: int,
    out: int,
    threads: int,
    /,
) -> None: ...
def cosines(
    queries: ValueRows,
    source: int,
    rows: ValueRows,
    pairs: int,
    count: int,
    out: int,
    threads: int,
    /,
) -> int: ...
def reciprocal_norms(
    format: int, packed: int, rows: int, dim: int, out: int, threads: int, /
) -> None: ...

class Rows:
    """Rows that are multiplied: codes, or elements in their format's lane.

    Those in a frame have coordinates too, `axes` of each row.
    """

    def __init__(
        self,
        data: int,
        norms: int,
        count: int,
        is_packed: bool,
        coordinates: int = 0,
        axes: int = 0,
        /,
    ) -> None: ...

class Sides:
    """Two sets of rows whose scores are asked for; those of b are packed."""

    def __init__(self, format: int, dim: int, a: Rows, b: Rows, /) -> None: ...

class Selection:
    """Rows of b that take part in a search, of which None leaves out none."""

    def __init__(self, mask: int | None, ranges: int | None, range_count: int, /) -> None: ...

class Best:
    """The best rows that are asked for."""

    def __init__(self, sides: Sides, selection: Selection, k: int, /) -> None: ...

def scores(sides: Sides, out: int, threads: int, /) -> None: ...
def pair_scores(sides: Sides, pairs: int, count: int, out: int, threads: int, /) -> None: ...

class Hits:
    """Rows whose scores reach thresholds, of each query."""

    def __init__(self, /) -> None: ...

def above(
    sides: Sides,
    selection: Selection,
    thresholds: int,
    limit: int,
    hits: Hits,
    threads: int,
    /,
) -> int: ...
def write_hits(hits: Hits, offsets: int, rows: int, scores: int, /) -> None: ...
def best(asked: Best, scores: int, rows: int, threads: int, /) -> None: ...
