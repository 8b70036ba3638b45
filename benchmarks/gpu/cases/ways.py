"""A case with every way of the CUDA kernels turned off in turn, beside all of the new ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.gpu.ways import Way, ways_of
from benchmarks.harness.case import Outcome, Setting
from benchmarks.harness.contest import Contest, ContestCase, Entrant
from benchmarks.harness.rival import RivalError
from benchmarks.harness.timing import Run
from minifloat.formats import as_format

# Whose kernels have ways.
BACKEND = "cuda"
# What two orders of adding float32 products of rows of length 1 may be apart.
_MOST_OFF = 1e-5


@dataclass(frozen=True)
class WaysCase(ContestCase):
    """Another case, whose CUDA entrants take part with all new ways and without each in turn."""

    case: ContestCase

    @property
    def op(self) -> str:  # type: ignore[override]
        """That of the case."""
        return self.case.op

    @property
    def inputs(self) -> dict[str, int | str]:
        """Those of the case."""
        return self.case.inputs

    @property
    def by_wall(self) -> bool:
        """Whether the case is timed by the wall clock."""
        return self.case.by_wall

    def measure(self, setting: Setting, until: float) -> Outcome:
        """Return times of all ways, or why there are none."""
        try:
            import_module("minifloat._cuda")
        except ImportError as error:
            return Outcome(left_out={BACKEND: f"minifloat._cuda does not import: {error}"})
        if not any(ways_of(self.op, self.inputs, format) for format in mf.FORMATS):
            return Outcome(left_out={BACKEND: "no way can matter here"})
        return super().measure(setting, until)

    def contest(self, setting: Setting) -> Contest:
        """Return the case's entrants of one format of each kind, each with its ways."""
        made = self.case.contest(replace(setting, backends=(BACKEND,), rivals=()))
        ours = [one for one in made.ours if one.facts.get("backend") == BACKEND]
        kinds: dict[tuple[int, str], Entrant] = {}
        for one in ours:
            format = as_format(one.facts["format"])
            # Later formats of a kind do the same.
            kinds.setdefault((format.bits, format.lane), one)
        chosen = [each for one in kinds.values() for each in self._ways(one)]
        return Contest(made.job, chosen, (), ())

    def _ways(self, entrant: Entrant) -> Iterator[Entrant]:
        """Yield an entrant with all new ways, and without each, if any can matter to it."""
        start = cache(entrant.start)
        format = as_format(entrant.facts["format"])
        ways = ways_of(self.case.op, self.case.inputs, format)
        if ways:
            yield replace(entrant, start=start, limits={})
        for way in ways:
            yield replace(
                entrant,
                name=f"{entrant.name} without {way.name}",
                start=partial(_start, way, start),
                check=partial(_check, entrant, start, format),
                facts={**entrant.facts, "without": way.name},
                limits={},
            )


def _start(way: Way, start: Any) -> Run | None:
    run = start()
    return None if run is None else way.off(run)


def _check(entrant: Entrant, start: Any, format: mf.Format, run: Run) -> float | None:
    """Return the recall; RivalError where the answer is not that of all new ways."""
    found, expected = _tensors(run()), _tensors(start()())
    if not all(_is_same(x, y, format) for x, y in zip(found, expected, strict=True)):
        raise RivalError("the answer is not the one of all new ways")
    return entrant.check(run)


def _tensors(answer: Any) -> list[Tensor]:
    return [answer] if isinstance(answer, Tensor) else [x for x in answer if torch.is_tensor(x)]


def _is_same(found: Tensor, expected: Tensor, format: mf.Format) -> bool:
    """Return whether bits are the same, or where floats are added, scores nearly."""
    if found.dtype.is_floating_point and format.lane == "float":
        return torch.allclose(found, expected, rtol=0, atol=_MOST_OFF, equal_nan=True)
    if format.lane == "float" and found.dtype == torch.int64:
        # Rows of nearly the same score may change their places.
        return found.shape == expected.shape
    return torch.equal(found.view(torch.uint8), expected.view(torch.uint8))
