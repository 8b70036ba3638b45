"""`minifloat index add`: rows of a file go into an index."""

from __future__ import annotations

from minifloat.cli import options as on
from minifloat.cli.commands import FINE
from minifloat.cli.index import options as own
from minifloat.cli.index.rows import Put, id_kind
from minifloat.cli.results import results
from minifloat.cli.sources import Wanted, opened
from minifloat.index import Index


def add(
    index: own.IndexPath,
    source: on.In,
    replace: own.Replace = False,
    column: own.ColumnNames = None,
    no_columns: own.NoColumns = False,
    key: on.Key = None,
    id: on.Id = None,
    ids: on.Ids = None,
    id_type: own.IdType = None,
    as_json: on.Json = False,
) -> int:
    """Add the rows of IN to an index, all or none.

    The result has how many rows were added or replaced, how many there are, and the version.
    """
    with Index.open(index, write=True) as there:
        columns = () if no_columns else (*there.columns,) if column is None else (*column,)
        wanted = Wanted(path=source, key=key, id=id, ids=ids, columns=columns)
        put = Put(
            put=there.upsert if replace else there.add,
            id_kind=id_kind(id_type, there.stats().ids),
        )
        added = put.rows(opened(wanted))
    told = ([added], [len(there)], [there.version])
    with results("-", ("added", "rows", "version"), as_json=as_json) as written:
        written.write(*told)
    return FINE
