"""`minifloat index search`: what `minifloat search` finds, the index first."""

from __future__ import annotations

from minifloat.cli import options as on
from minifloat.cli.index import options as own
from minifloat.cli.search import search as search_database


def search(
    index: own.IndexPath,
    queries: on.Queries,
    k: on.K = 10,
    threshold: on.Reach = None,
    originals: on.Originals = None,
    originals_key: on.OriginalsKey = None,
    where: on.Where = None,
    key: on.Key = None,
    query_id: on.QueryId = None,
    query_ids: on.QueryIds = None,
    out: on.Out = "-",
    as_json: on.Json = False,
) -> int:
    """Find the nearest rows of queries by cosine, as minifloat search does."""
    return search_database(
        queries,
        index,
        k=k,
        threshold=threshold,
        originals=originals,
        originals_key=originals_key,
        where=where,
        key=key,
        query_id=query_id,
        query_ids=query_ids,
        out=out,
        as_json=as_json,
    )
