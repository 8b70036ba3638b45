"""`minifloat index create`: a new index, empty or of the rows of a file."""

from __future__ import annotations

import os
import shutil

from minifloat.cli import options as on
from minifloat.cli.commands import FINE
from minifloat.cli.errors import InputError
from minifloat.cli.index import options as own
from minifloat.cli.index.rows import Put, id_kind
from minifloat.cli.quantize import Storing
from minifloat.cli.results import results
from minifloat.cli.sampling import FIT, NONE, frame_of_file
from minifloat.cli.sources import Source, Wanted, opened
from minifloat.index import Index


def create(
    index: own.NewIndex,
    format: on.FormatName,
    source: own.FirstRows = None,
    dim: own.Dim = None,
    frame: on.FrameOf = NONE,
    errors: on.Errors = False,
    scale: on.Scale = None,
    estimator: on.Estimator = None,
    rounding: on.Rounding = "nearest",
    column: own.Columns = None,
    key: on.Key = None,
    id: on.Id = None,
    ids: on.Ids = None,
    id_type: own.IdType = None,
    as_json: on.Json = False,
) -> int:
    """Make an index, empty or of the rows of IN.

    Without --id and --ids, rows are known by their numbers, from 0. Each --column is taken from the
    column of IN of its name. The result has how many rows were added, how many there are, and the
    version.
    """
    declared = _declared(column or [])
    if os.path.lexists(index):
        raise InputError(f"{index} is there already; minifloat index add adds rows to an index")
    wanted = None
    if source is not None:
        wanted = opened(Wanted(path=source, key=key, id=id, ids=ids, columns=(*declared,)))
    storing = Storing(
        format=format,
        frame=frame,
        errors=errors,
        scale=scale,
        estimator=estimator,
        rounding=rounding,
    )
    made = _made(index, storing, declared, wanted, dim)
    try:
        with made:
            kind = id_kind(id_type)
            added = 0
            if wanted is not None:
                put = Put(put=made.add, id_kind=kind, numbered=id is None and ids is None)
                added = put.rows(wanted)
        told = ([added], [len(made)], [made.version])
    except BaseException:
        shutil.rmtree(index, ignore_errors=True)
        raise
    with results("-", ("added", "rows", "version"), as_json=as_json) as written:
        written.write(*told)
    return FINE


def _made(
    index: str,
    storing: Storing,
    columns: dict[str, str],
    source: Source | None,
    dim: int | None,
) -> Index:
    """Return a new index; InputError where its dim is not known, or is another."""
    how = storing.how()
    if source is None:
        if dim is None or storing.frame == FIT:
            needed = "--dim" if dim is None else "rows to fit a frame to"
            raise InputError(f"an index needs {needed}, or IN, the rows that it begins with")
        frame = frame_of_file(storing.frame)
    else:
        if dim not in (None, source.dim):
            raise InputError(f"--dim must be that of IN, {source.dim}; got {dim}")
        dim, packed = source.dim, source.packed
        # Packed rows go in as they are.
        frame = storing.fitted(source) if packed is None else packed.frame
        how |= {} if packed is None else {"estimator": packed.estimator}
    return Index.create(index, dim, storing.format, frame=frame, columns=columns or None, **how)


def _declared(columns: list[str]) -> dict[str, str]:
    """Return the types of columns by name."""
    found = {}
    for column in columns:
        name, equals, kind = column.partition("=")
        if not equals:
            raise InputError(f"--column must be NAME=TYPE, such as day=integer; got {column!r}")
        found[name] = kind
    return found
