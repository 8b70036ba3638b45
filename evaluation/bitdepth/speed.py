"""How long searches take in each format, on the machine that runs the study."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

import minifloat as mf
from evaluation.embeddings.embeddings import Embeddings

ROWS = 100_000
QUERIES = (1, 64)
NEAREST = 10
REPEATS = 7


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Milliseconds of a search for one and for many recordings, each the median of REPEATS."""

    format: str
    megabytes: float
    milliseconds: tuple[float, ...]


def speeds(embeddings: Embeddings, formats: Sequence[mf.Format]) -> list[Speed]:
    """Return the times of float32, by torch's product and topk, and of each format.

    The database is the embeddings, repeated until there are ROWS rows.
    """
    repeats = -(-ROWS // len(embeddings))
    rows = torch.from_numpy(np.tile(embeddings.rows, (repeats, 1))[:ROWS])
    unit = torch.nn.functional.normalize(rows)

    def by_torch(count: int) -> Callable[[], object]:
        return lambda: (unit[:count] @ unit.T).topk(NEAREST)

    found = [_speed("float32", unit.nbytes, by_torch)]
    for format in formats:
        database = mf.quantize(rows, format)

        def by_minifloat(count: int, database: mf.PackedVectors = database) -> Callable[[], object]:
            return lambda: mf.search(database[:count], database, NEAREST)

        found.append(_speed(format.name.upper(), database.nbytes, by_minifloat))
    return found


def _speed(name: str, size: int, search: Callable[[int], Callable[[], object]]) -> Speed:
    times = tuple(_milliseconds(search(count)) for count in QUERIES)
    return Speed(format=name, megabytes=size / 1e6, milliseconds=times)


def _milliseconds(run: Callable[[], object]) -> float:
    run()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)
