"""`minifloat index build`: a new index of the rows of many files, by all processes of a job."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch.distributed as dist

from minifloat.cli import options as on
from minifloat.cli.commands import FINE, REFUSED
from minifloat.cli.index import options as own
from minifloat.cli.results import results
from minifloat.cli.sampling import NONE, frame_of_file
from minifloat.distributed import RankError, build_index
from minifloat.distributed.building.sources import Given
from minifloat.index import Index


def build(
    index: own.NewIndex,
    sources: own.Sources,
    format: on.FormatName,
    frame: own.FrameFile = NONE,
    errors: on.Errors = False,
    scale: on.Scale = None,
    estimator: on.Estimator = None,
    key: on.Key = None,
    ids: own.IdFiles = None,
    timeout: own.Timeout = 30.0,
    as_json: on.Json = False,
) -> int:
    """Make an index of the rows of all IN, one after the other.

    Under torchrun each process encodes its share. What was ended early goes on where it was, by the
    same command. Without --ids, rows are known by their numbers, from 0. The result has how many
    rows there are, and the version.
    """
    given: list[Given] = [*sources]
    if key is not None:
        given = [(one, key) for one in sources]
    with _group() as rank:
        try:
            build_index(
                index,
                given,
                format,
                frame=frame_of_file(frame),
                ids=ids,
                timeout=timeout,
                errors=errors,
                scale=scale,
                estimator=estimator,
            )
        except RankError:
            # Rank 0 tells it for all.
            if rank == 0:
                raise
            return REFUSED
        if rank == 0:
            with (
                Index.open(index) as there,
                results("-", ("rows", "version"), as_json=as_json) as to,
            ):
                to.write([len(there)], [there.version])
    return FINE


@contextmanager
def _group() -> Iterator[int]:
    """A block in which all processes that a launcher has started are one group; yield its rank."""
    if os.environ.get("WORLD_SIZE", "1") in ("", "1"):
        yield 0
        return
    dist.init_process_group("gloo")
    try:
        yield dist.get_rank()
    finally:
        dist.destroy_process_group()
