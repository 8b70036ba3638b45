"""Kernels over raw pointers to memory of one device, put into a stream: nothing is waited for."""

from typing import Final

MOST_ROWS: Final[int]

class Ways:
    """Ways of doing the same, by the names that `csrc/cuda/ways.h` explains."""

    streams_rows: bool
    starts_early: bool
    has_long_lists: bool
    merges_by_list: bool
    fewest_by_warpgroup: int
    narrows_tiles: bool
    has_three_products: bool
    asks_occupancy: bool
    prepares_at_once: bool
    appends_hits: bool
    packs_in_registers: bool

def ways() -> Ways:
    """Return those of this process, which may be changed."""

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

class Rows:
    """Rows that are multiplied: codes, or elements in their format's lane."""

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

class Memory:
    """Memory of the device, and how many bytes it has."""

    def __init__(self, data: int, bytes: int, /) -> None: ...

class ValueRows:
    """Rows of values, so many values apart."""

    def __init__(self, source: int, values: int, stride: int, count: int, dim: int, /) -> None: ...

class Frame:
    """Axes, signs of each round of a turn and, between rounds, where values were."""

    def __init__(
        self, dim: int, axes: int, axis_count: int, signs: int, rounds: int, order: int, /
    ) -> None: ...

class Projected:
    """Where rests, coordinates and lengths of rests go."""

    def __init__(self, rest: int, coordinates: int, lengths: int, /) -> None: ...

def to_lane(
    format: int, rows: ValueRows, lengths: int, elements: int, norms: int, stream: int, /
) -> None: ...
def project_workspace(rows: ValueRows, frame: Frame, /) -> int: ...
def project(
    rows: ValueRows, frame: Frame, workspace: Memory, out: Projected, stream: int, /
) -> None: ...
def scores_workspace(sides: Sides, /) -> int: ...
def scores(sides: Sides, workspace: Memory, out: int, stream: int, /) -> None: ...
def pair_scores(sides: Sides, pairs: int, count: int, out: int, stream: int, /) -> None: ...
def best_workspace(asked: Best, /) -> int: ...
def best(asked: Best, workspace: Memory, scores: int, rows: int, stream: int, /) -> None: ...

class Hits:
    """Where keys and scores of hits go, for how many there is room, and where their number goes."""

    def __init__(self, keys: int, scores: int, room: int, total: int, /) -> None: ...

def above_workspace(sides: Sides, /) -> int: ...
def above(
    sides: Sides,
    selection: Selection,
    thresholds: int,
    workspace: Memory,
    hits: Hits,
    stream: int,
    /,
) -> None: ...
