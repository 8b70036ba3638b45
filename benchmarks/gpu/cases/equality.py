"""Answers of a device beside the CPU's: to the bit, where formats promise that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

import minifloat as mf
from benchmarks.data import normal_rows
from benchmarks.harness.case import Case, Outcome, Setting
from minifloat.backends import implementation, serving
from minifloat.ops import arguments
from minifloat.ops.products import AllScores, Best
from minifloat.ops.rows import Selection, Sides
from minifloat.scoring.queries import sides_of

# Rows that a frame is fitted to.
_SAMPLE = 4096


@dataclass(frozen=True)
class EqualityCase(Case):
    """An operator's answers in some formats, on the device and on the CPU."""

    formats: tuple[mf.Format, ...]
    queries: int
    rows: int
    dim: int

    @property
    def inputs(self) -> dict[str, int | str]:
        """Formats, queries, rows and dim."""
        sizes = {"queries": self.queries, "rows": self.rows, "dim": self.dim}
        return {"formats": " ".join(f.name for f in self.formats), **sizes}

    def measure(self, setting: Setting, until: float) -> Outcome:
        """Return whether each format's answers have the CPU's bits, by backend."""
        outcome = Outcome({"equal": {backend: {} for backend in setting.backends}})
        x = normal_rows(self.queries + self.rows, self.dim, setting.device.generator(0))
        for f in self.formats:
            a, b = self.quantized(x[: self.queries], x[self.queries :], f)
            sides = sides_of(a, b)
            expected = self.answers(serving("CPU").module, sides_of(a.to("cpu"), b.to("cpu")))
            for backend in setting.backends:
                what = f"{backend} {f}"
                with self.attempt(what, setting, outcome):
                    found = [t.cpu() for t in self.answers(backend, sides)]
                    wrong = [_differing(x, y) for x, y in zip(found, expected, strict=True)]
                    outcome.found["equal"][backend][f.name] = not any(wrong)
                    if any(wrong):
                        counts = " and ".join(
                            f"{n} of {t.numel()}" for n, t in zip(wrong, expected, strict=True)
                        )
                        outcome.failures[what] = f"{counts} differ from the CPU's"
        return outcome

    def quantized(self, a: Tensor, b: Tensor, f: mf.Format) -> list[mf.PackedVectors]:
        """Return both sides in a format."""
        return [mf.quantize(part, f) for part in (a, b)]

    def answers(self, backend: str, sides: Sides) -> tuple[Tensor, ...]:
        """Return what an operator says of two sides."""
        raise NotImplementedError


class ScoresEquality(EqualityCase):
    """All scores."""

    op = "scores equal to the CPU's"

    def answers(self, backend: str, sides: Sides) -> tuple[Tensor, ...]:
        """Return the matrix."""
        return (implementation(backend, "scores")(*arguments(AllScores(sides))),)


@dataclass(frozen=True)
class SearchEquality(EqualityCase):
    """The best rows and their scores, of rows in an order, or in a frame of some axes.

    Ascending are scores of the first query: the best come last, and raise every threshold.
    """

    k: int = 10
    order: Literal["any", "ascending"] = "any"
    axes: int = 0

    op = "search equal to the CPU's"

    @property
    def inputs(self) -> dict[str, int | str]:
        """Formats, queries, rows, dim and k, and what is not as ever."""
        more: dict[str, int | str] = {"order": self.order} if self.order != "any" else {}
        if self.axes:
            more["axes"] = self.axes
        return {**super().inputs, "k": self.k, **more}

    def quantized(self, a: Tensor, b: Tensor, f: mf.Format) -> list[mf.PackedVectors]:
        """Return both sides, in their frame if there is one, rows in their order."""
        if self.order == "ascending":
            b = b[(b @ a[0]).argsort()]
        if not self.axes:
            return super().quantized(a, b, f)
        # As far from the origin as from their mean, which then holds half of each row.
        a, b = (part + self.dim**-0.5 for part in (a, b))
        frame = mf.Frame.fit(b[:_SAMPLE], self.axes)
        return [mf.quantize(part, f, frame=frame) for part in (a, b)]

    def answers(self, backend: str, sides: Sides) -> tuple[Tensor, ...]:
        """Return scores and rows."""
        search = implementation(backend, "search")
        found: Any = search(*arguments(Best(sides, Selection(), self.k)))
        return tuple(found)


@dataclass(frozen=True)
class CodecEquality(EqualityCase):
    """Codes, packed rows, norms and values of a format, each of the one before."""

    op = "codec equal to the CPU's"

    def answers(self, backend: str, sides: Sides) -> tuple[Tensor, ...]:
        """Return what each operator makes of the packed rows of both sides."""
        run = {
            name: implementation(backend, name)
            for name in ("unpack", "decode", "encode", "pack", "encode_pack", "reciprocal_norms")
        }
        packed, format = sides.b.data, sides.format
        codes = run["unpack"](packed, format, self.dim)
        values = run["decode"](codes, format)
        return (
            codes,
            values,
            run["encode"](values * 3.3, format, True),
            run["pack"](codes, format),
            run["encode_pack"](values * 1.1, format, True),
            run["reciprocal_norms"](packed, format, self.dim),
        )


def _differing(found: Tensor, expected: Tensor) -> int:
    """Return how many elements differ in a bit."""
    if found.dtype.is_floating_point:
        found, expected = found.view(torch.int32), expected.view(torch.int32)
    return int((found != expected).sum())
