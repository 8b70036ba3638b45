"""Shards are opened: all ranks the same version of a database, and each rank its own rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from minifloat.distributed.exchange.errors import RankError
from minifloat.distributed.exchange.members import TIMEOUT
from minifloat.distributed.exchange.plans import as_text, of_text
from minifloat.distributed.exchange.progress import in_step
from minifloat.distributed.exchange.ranks import Ranks, as_bytes, of_bytes
from minifloat.distributed.shards import files, fragments, indexes
from minifloat.distributed.shards.shard import Missing, Shard
from minifloat.distributed.shards.shares import bounds
from minifloat.index import exchange, sharing
from minifloat.index.catalog.catalog import FILE
from minifloat.index.state import State

# How often a database is opened anew whose files went while it was.
_TRIES = 10


class Options(NamedTuple):
    """How a database is opened."""

    version: int | str | None
    verify: bool
    allow_partial: bool
    storage: Any


def open_shard(
    uri: Any,
    group: Any = None,
    *,
    version: int | str | None = None,
    device: str | torch.device = "cpu",
    verify: bool = True,
    allow_partial: bool = False,
    timeout: float = TIMEOUT,
    storage_options: Any = None,
) -> Shard:
    """Return this rank's rows of a database; all ranks of the group must call it at once.

    uri: the folder of an index, a safetensors file of packed vectors, a folder or a list of such,
    or a data set of Lance. Each rank gets as many rows as the others, one run of them, and reads no
    others; rank 0 says in which version. group: of torch.distributed, all of its processes if none
    is given; without torch.distributed, this process has all rows. With verify, rows are read and
    compared with their sums at once, where the file has some, and else when they are first used.

    Rows are on the device for searches; what ranks exchange is on the CPU, over gloo. Within
    timeout seconds all ranks learn of one that is gone or hangs, by RankError, which names it; one
    that takes half of that longer for a step, such as a batch of queries, than rank 0 does is taken
    to hang. A file that is damaged is an error too, on that rank what is wrong, and on all others
    RankError; with allow_partial its rows are missing, `shard.missing` says which and why, and only
    searches with allow_partial go on.
    storage_options: what pylance hands to an object store.
    """
    ranks = Ranks(group, timeout=timeout)
    options = Options(version, verify, allow_partial, storage_options)
    try:
        for _ in range(_TRIES):
            shard = _opened(ranks, uri, options)
            if shard is not None:
                return shard.to(device)
        raise TimeoutError(f"{uri}: rows were moved {_TRIES} times while it was opened")
    except BaseException:
        ranks.close()
        raise


def _opened(ranks: Ranks, uri: Any, options: Options) -> Shard | None:
    """Return a shard; None where files have gone since rank 0 looked."""
    opened: list[State] = []
    try:
        shard = _shared(ranks, uri, options, opened)
    except BaseException:
        _close(opened)
        raise
    if shard is None:
        _close(opened)
    return shard


def _close(opened: list[State]) -> None:
    for state in opened:
        state.close()


def _shared(ranks: Ranks, uri: Any, options: Options, opened: list[State]) -> Shard | None:
    """Return a shard, and put the index that rank 0 opens for it into a list; see `_opened`."""
    state: State | None = None

    def planned() -> bytes:
        nonlocal state
        if isinstance(uri, (str, Path)) and exchange.is_lance(uri):
            plan = {"lance": fragments.plan(str(uri), options.version, options.storage)}
        elif isinstance(uri, (str, Path)) and (Path(uri) / FILE).is_file():
            number = options.version
            if isinstance(number, str):
                raise TypeError(f"versions of an index are numbers; got {number!r}")
            state, of_index = sharing.planned(Path(uri), number)
            opened.append(state)
            plan = {"index": indexes.as_plan(of_index)}
        else:
            if options.version is not None:
                raise ValueError(f"files have no versions; got version {options.version}")
            plan = {"files": files.plan(files.paths_of(uri))}
        return as_text(plan)

    ((kind, plan),) = of_text(ranks.spread(planned, "open_shard")).items()
    of_ranks = bounds(plan["rows"], ranks.count)
    reading: Any = None

    def begun() -> Tensor:
        nonlocal reading
        span = of_ranks[ranks.rank], of_ranks[ranks.rank + 1]
        if kind == "index":
            reading = indexes.Reading(plan, Path(uri), *span)
        elif kind == "lance":
            reading = fragments.Reading(plan, *span, options.storage)
        else:
            reading = files.Reading(plan, *span)
        return of_bytes(b"")

    ranks.together(begun, lambda _: of_bytes(b""), "open_shard")
    error = _read(ranks, reading, str(uri), options)

    def has_moved() -> bool:
        return state is not None and sharing.has_moved(Path(uri), reading.plan)

    missing = _vote(ranks, of_ranks, error, options, has_moved)
    if missing is None:
        return None
    if kind != "index":
        own = reading.vectors() if error is None else reading.none()
        return Shard(ranks, of_ranks, own, missing)
    rows = indexes.IndexRows(reading, state)
    rows.fill(ranks, of_ranks, here=error is None)
    return Shard(ranks, of_ranks, rows, missing)


def _read(ranks: Ranks, reading: Any, uri: str, options: Options) -> Exception | None:
    """Read this rank's rows while all others do; return what is wrong with its files."""
    wrong: Exception | None = None

    def steps() -> Iterator[int]:
        nonlocal wrong
        try:
            yield from reading.steps(verify=options.verify)
        except (OSError, ValueError) as error:
            wrong = error

    in_step(ranks, steps(), reading.bytes(), what=f"reading {uri}", unit="B")
    return wrong


def _vote(
    ranks: Ranks,
    of_ranks: list[int],
    error: Exception | None,
    options: Options,
    has_moved: Any,
) -> tuple[Missing, ...] | None:
    """Return whose rows are missing; None where all are to look again."""

    def said() -> Tensor:
        own = {"reason": None if error is None else str(error)}
        return of_bytes(as_text(own | {"gone": isinstance(error, FileNotFoundError)}))

    def counted(parts: list[Tensor | None]) -> Tensor:
        each = [of_text(as_bytes(part)) for part in parts if part is not None]
        if any(one["gone"] for one in each) and has_moved():
            return of_bytes(as_text({"again": True}))
        wrong = [[rank, one["reason"]] for rank, one in enumerate(each) if one["reason"]]
        return of_bytes(as_text({"wrong": wrong}))

    found = of_text(as_bytes(ranks.together(said, counted, "open_shard")))
    if "again" in found:
        return None
    missing = tuple(
        Missing(rank, of_ranks[rank], of_ranks[rank + 1], reason) for rank, reason in found["wrong"]
    )
    if missing and not (options.allow_partial and len(missing) < ranks.count):
        if error is not None:
            raise error
        raise RankError(missing[0].rank, f"cannot read its rows: {missing[0].reason}")
    return missing
