"""How long proven searches take, beside searches of codes and of the float rows themselves."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

import minifloat as mf
from benchmarks.data import exact_search

K, ROUNDS, COLD_ROUNDS = 10, 7, 3
# Rows that a frame is fitted on, and how far made rows are from those that they are made around.
SAMPLE, NOISE = 20_000, 0.5
# Values that are made at once.
_MADE = 1 << 22


class Rows:
    """Rows around real ones, in a file, and packed in a frame."""

    def __init__(self, path: Path, around: Tensor, rows: int, format: mf.Format) -> None:
        """Write rows (rows, dim) of float32, and pack them."""
        self.path, self.queries = path, around[torch.randperm(len(around), generator=_seeded(1))]
        out = np.lib.format.open_memmap(path, "w+", np.float32, (rows, around.shape[1]))
        generator, step = _seeded(0), max(1, _MADE // around.shape[1])
        for first in range(0, rows, step):
            count = min(step, rows - first)
            centers = around[torch.randint(len(around), (count,), generator=generator)]
            spread = centers.square().mean(1, keepdim=True).sqrt() * NOISE
            noise = torch.randn(centers.shape, generator=generator)
            out[first : first + count] = (centers + noise * spread).numpy()
        out.flush()
        del out
        frame = mf.Frame.fit(self.mapped()[:SAMPLE])
        self.packed = mf.quantize(torch.from_numpy(np.load(path)), format, frame=frame, errors=True)

    def mapped(self) -> np.memmap[tuple[int, ...], np.dtype[np.float32]]:
        """Return the rows, mapped."""
        found: np.memmap[tuple[int, ...], np.dtype[np.float32]] = np.load(self.path, mmap_mode="r")
        return found

    def forget(self) -> None:
        """Drop what the system keeps of the file in memory, once nothing maps it."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def warm(rows: Rows, queries: Tensor) -> dict[str, float]:
    """Return seconds of each way to search, medians of rounds in which each took its turn."""
    mapped, x = rows.mapped(), torch.from_numpy(np.load(rows.path))
    unit = x / x.norm(dim=1, keepdim=True)
    runs: dict[str, Callable[[], object]] = {
        "codes": lambda: mf.search(queries, rows.packed, K),
        "proven": lambda: mf.search(queries, rows.packed, K, originals=mapped),
        "torch": lambda: exact_search(unit, queries, K),
    }
    flat = _by_faiss(queries, unit)
    if flat is not None:
        runs["faiss flat"] = flat
    return _medians(runs, ROUNDS)


def cold(rows: Rows, queries: Tensor) -> dict[str, float]:
    """Return seconds of a search whose originals are on the disk alone, and of a plain gather."""
    mapped = rows.mapped()
    _, _, read = mf.search(queries, rows.packed, K, originals=mapped, return_stats=True)
    generator = np.random.default_rng(0)
    numbers = np.sort(generator.choice(len(mapped), int(read.rows.sum()), replace=False))
    del mapped
    return {
        "proven": statistics.median(
            _after_forgetting(
                rows, lambda mapped: mf.search(queries, rows.packed, K, originals=mapped)
            )
        ),
        "as many rows by NumPy": statistics.median(
            _after_forgetting(rows, lambda mapped: mapped[numbers].sum())
        ),
    }


def _after_forgetting(rows: Rows, run: Callable[[Any], object]) -> Iterator[float]:
    for _ in range(COLD_ROUNDS):
        rows.forget()
        mapped = rows.mapped()
        start = perf_counter()
        run(mapped)
        yield perf_counter() - start
        del mapped


def _medians(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            start = perf_counter()
            run()
            taken[name].append(perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _by_faiss(queries: Tensor, unit: Tensor) -> Callable[[], object] | None:
    try:
        import faiss
    except ImportError:
        return None
    faiss.omp_set_num_threads(torch.get_num_threads())
    index = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit.numpy())
    return lambda: index.search(queries.numpy(), K)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
