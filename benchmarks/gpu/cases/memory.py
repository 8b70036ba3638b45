"""What a search takes of memory beside its inputs: as much for many rows as for few."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import minifloat as mf
from benchmarks.data import normal_rows
from benchmarks.harness.case import Case, Outcome, Setting
from minifloat.backends import implementation
from minifloat.ops import arguments
from minifloat.ops.products import Best
from minifloat.ops.rows import Selection
from minifloat.scoring.queries import sides_of

# How many times as many rows there are.
_TIMES = 8


@dataclass(frozen=True)
class MemoryCase(Case):
    """Searches of some rows, and of more, by every backend in some formats."""

    formats: tuple[mf.Format, ...]
    queries: int
    rows: int
    dim: int
    k: int

    op = "memory of a search"

    @property
    def inputs(self) -> dict[str, int | str]:
        """Queries, rows, dim and k."""
        return {"queries": self.queries, "rows": self.rows, "dim": self.dim, "k": self.k}

    def measure(self, setting: Setting, until: float) -> Outcome:
        """Return the most bytes for few and for many rows, where the device counts them."""
        outcome = Outcome({"memory": {}})
        x = normal_rows(self.queries + self.rows, self.dim, setting.device.generator(0))
        for f in self.formats:
            queries = mf.quantize(x[: self.queries], f)
            few = mf.quantize(x[self.queries :], f)
            many = mf.PackedVectors(
                few.codes.repeat(_TIMES, 1), few.reciprocal_norms.repeat(_TIMES), f, self.dim
            )
            for backend in setting.backends:
                search = implementation(backend, "search")
                with self.attempt(f"{backend} {f}", setting, outcome):
                    asked = [
                        Best(sides_of(queries, rows), Selection(), self.k) for rows in (few, many)
                    ]
                    runs = [partial(search, *arguments(one)) for one in asked]
                    peaks = [setting.device.peak_bytes(run) for run in runs]
                    if None not in peaks:
                        outcome.found["memory"][f"{backend} {f}"] = peaks
        return outcome
