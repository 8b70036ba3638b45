"""Public calls, timed as users see them: from the call until the answer is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

import minifloat as mf
from benchmarks.gpu.cases.search import DeviceSearchCase
from benchmarks.harness.case import Setting
from benchmarks.harness.rival import RivalError
from benchmarks.harness.timing import Run
from benchmarks.search import DeviceSearchJob
from minifloat.backends import serving

# What a call is asked: the job, its packed rows of a format, how many rows, axes of a frame.
Call = Callable[[DeviceSearchJob, mf.Format, int, int], Run]

# Axes of a frame are fitted to so many rows at most.
_SAMPLE = 4096


@dataclass(frozen=True)
class CallCase(DeviceSearchCase):
    """One of the calls, by its name, on rows that may be in a frame of some axes."""

    call: str = ""
    axes: int = 0

    @property
    def op(self) -> str:  # type: ignore[override]
        """The call."""
        return self.call

    @property
    def inputs(self) -> dict[str, int | str]:
        """Queries, rows, dim and k, and axes where there are any."""
        return {**super().inputs, **({"axes": self.axes} if self.axes else {})}

    @property
    def by_wall(self) -> bool:
        """Always."""
        return True

    def backends(self, setting: Setting) -> tuple[str, ...]:
        """Return who serves the device, for nobody else is asked."""
        return (serving(setting.device.torch.type.upper()).module,)

    def run(self, job: DeviceSearchJob, backend: str, f: mf.Format) -> Run:
        """Return the call."""
        return CALLS[self.call](job, f, self.k, self.axes)

    def check(self, job: DeviceSearchJob, f: mf.Format, run: Run) -> float:
        """Return the recall of a search; of a range search, whether it has what a search has."""
        if self.call != RANGE_SEARCH:
            return super().check(job, f, run)
        answer: Any = run()
        counts = answer.offsets.diff()
        if counts.min() < self.k:
            raise RivalError(f"{int(counts.min())} rows reach what {self.k} rows reach")
        found = torch.stack([answer.rows[i : i + self.k] for i in answer.offsets[:-1].tolist()])
        return job.near.checked_recall(found)


def _search(job: DeviceSearchJob, f: mf.Format, k: int, axes: int) -> Run:
    return partial(mf.search, job.near.queries, job.packed[f], k)


def _in_frame(job: DeviceSearchJob, f: mf.Format, k: int, axes: int) -> Run:
    frame = mf.Frame.fit(job.near.rows[:_SAMPLE], axes)
    rows = mf.quantize(job.near.rows, f, frame=frame)
    return partial(mf.search, mf.quantize(job.near.queries, f, frame=frame), rows, k)


def _above(job: DeviceSearchJob, f: mf.Format, k: int, axes: int) -> Run:
    queries, rows = mf.quantize(job.near.queries, f), job.packed[f]
    least = mf.search(queries, rows, k)[0][:, -1].contiguous()
    return partial(mf.range_search, queries, rows, least, order="score")


def _with_originals(job: DeviceSearchJob, f: mf.Format, k: int, axes: int) -> Run:
    rows = mf.quantize(job.near.rows, f, errors=True)
    return partial(mf.search, job.near.queries, rows, k, originals=job.near.rows)


FLOAT_SEARCH, FRAME_SEARCH = "search by float queries", "search of rows in a frame"
RANGE_SEARCH, EXACT_SEARCH = "range search", "search that reads originals"
CALLS: dict[str, Call] = {
    FLOAT_SEARCH: _search,
    FRAME_SEARCH: _in_frame,
    RANGE_SEARCH: _above,
    EXACT_SEARCH: _with_originals,
}
