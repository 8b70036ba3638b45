"""Scores of integer formats, whose bits are the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import torch

import minifloat as mf
from benchmarks.gpu.cases import Case, Outcome, Setting, reason
from benchmarks.gpu.search import normal_rows
from minifloat.backends import BACKENDS, implementation


@dataclass(frozen=True)
class EqualityCase(Case):
    """All scores of packed queries and rows, on the device and on the CPU."""

    formats: tuple[mf.Format, ...]
    queries: int
    rows: int
    dim: int

    op = "equality with the CPU"

    @property
    def inputs(self) -> dict[str, int | str]:
        """Queries, rows and dim."""
        return {"queries": self.queries, "rows": self.rows, "dim": self.dim}

    def measure(self, setting: Setting, until: float) -> Outcome:
        """Return whether each format's scores have the CPU's bits, by backend."""
        outcome = Outcome({"equal": {backend: {} for backend in setting.backends}})
        generator = setting.device.generator(0)
        x = normal_rows(self.queries + self.rows, self.dim, generator)
        for f in self.formats:
            a, b = (mf.quantize(part, f) for part in (x[: self.queries], x[self.queries :]))
            sides = (a.codes, a.reciprocal_norms, b.codes, b.reciprocal_norms)
            on_cpu = (side.cpu() for side in sides)
            expected = implementation(BACKENDS["CPU"], "scores")(*on_cpu, f.name, self.dim)
            for backend in setting.backends:
                try:
                    scores = implementation(backend, "scores")(*sides, f.name, self.dim).cpu()
                except Exception as error:
                    outcome.failures[f"{backend} {f}"] = reason(error)
                    setting.device.recover()
                    continue
                same = scores.view(torch.int32) == expected.view(torch.int32)
                outcome.found["equal"][backend][f.name] = bool(same.all())
                if not same.all():
                    count = f"{int((~same).sum())} of {same.numel()}"
                    outcome.failures[f"{backend} {f}"] = f"{count} scores differ from the CPU's"
        return outcome
