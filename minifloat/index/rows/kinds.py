"""How the rows of an index are made, which never changes, and how a catalog keeps that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from minifloat.arrays import as_rows
from minifloat.feedback import Feedback
from minifloat.files.frame_facts import FrameFacts
from minifloat.formats import Format, FormatLike, as_format
from minifloat.frames import Frame
from minifloat.vectors import PackedVectors, quantize


class Kind(NamedTuple):
    """What `quantize` makes rows with, and their dim."""

    format: Format
    dim: int
    frame: Frame | None
    estimator: str
    scale: str
    rounding: str
    errors: bool

    @staticmethod
    def of(dim: int, format: FormatLike, frame: Frame | None, how: Mapping[str, Any]) -> Kind:
        """Return how rows of a dim are made by what `quantize` is told, which raises as it does."""
        none = quantize(torch.zeros(0, dim), format, frame=frame, **how)
        scale = how.get("scale") or ("amax" if frame is None else "cosine")
        rounding, errors = how.get("rounding", "nearest"), none.errors is not None
        return Kind(as_format(format), dim, frame, none.estimator, scale, rounding, errors)

    def packed(self, x: Any) -> PackedVectors:
        """Return rows as the index keeps them; ValueError for others than it can take."""
        if isinstance(x, PackedVectors):
            return self._checked(x).to("cpu")
        x = as_rows("x", x).detach()
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(
                f"x must be rows (rows, {self.dim}) of this index; got shape {tuple(x.shape)}"
            )
        how: dict[str, Any] = {name: getattr(self, name) for name in _HOW}
        return quantize(x.cpu(), self.format, frame=self.frame, **how)

    def fields(self) -> dict[str, tuple[torch.dtype, tuple[int, ...]]]:
        """Return the type and shape of what is kept of each row, by the names of fields."""
        found: dict[str, tuple[torch.dtype, tuple[int, ...]]] = {
            "codes": (torch.uint8, (self.format.row_bytes(self.dim),)),
            "reciprocal_norms": (torch.float32, ()),
        }
        if self.frame is not None:
            found["coordinates"] = (torch.float32, (len(self.frame.axes),))
        if self.errors:
            found["errors"] = (torch.uint8, ())
        return found

    def vectors(self, fields: dict[str, Tensor]) -> PackedVectors:
        """Return rows made of what is kept of each."""
        of_each: dict[str, Any] = {name: fields[name] for name in self.fields()}
        return PackedVectors(
            format=self.format,
            dim=self.dim,
            estimator=self.estimator,
            frame=self.frame,
            **of_each,
        )

    def facts(self) -> dict[str, Any]:
        """Return what a catalog keeps: texts and bytes by name."""
        found: dict[str, Any] = {
            "format": self.format.name,
            "dim": self.dim,
            **{name: getattr(self, name) for name in _HOW},
            "errors": int(self.errors),
        }
        if self.frame is None:
            return found
        found["frame"] = FrameFacts.of(self.frame).text()
        found["frame_axes"] = _bytes_of(self.frame.axes)
        feedback = self.frame.feedback
        if feedback is not None:
            found["feedback"] = json.dumps([feedback.gain, feedback.forced])
            found["feedback_shares"] = _bytes_of(feedback.shares)
        return found

    @staticmethod
    def read(facts: dict[str, Any]) -> Kind:
        """Return that of a catalog; ValueError or KeyError for what says none."""
        dim, frame = int(facts["dim"]), None
        if "frame" in facts:
            frame = FrameFacts.read(facts["frame"]).frame(_floats(facts["frame_axes"], dim))
        if frame is not None and "feedback" in facts:
            gain, forced = json.loads(facts["feedback"])
            shares = _floats(facts["feedback_shares"], dim)
            feedback = Feedback(shares, gain, forced)
            given = frame.axes, frame.rotate, frame.seed, frame.shares, frame.next_share
            frame = Frame(*given, feedback)
        how = {name: facts[name] for name in _HOW} | {"errors": bool(facts["errors"])}
        return Kind(as_format(facts["format"]), dim, frame, **how)

    def _checked(self, x: PackedVectors) -> PackedVectors:
        """Return packed rows; ValueError if they are of another kind."""
        own = self.vectors({name: torch.empty(0, *of) for name, (_, of) in self.fields().items()})
        if (x.kind, x.estimator) != (own.kind, own.estimator):
            raise ValueError(
                f"packed rows must be of {own.kind}, estimator {own.estimator}, as this index; "
                f"got {x.kind}, estimator {x.estimator}"
            )
        if self.errors and x.errors is None:
            raise ValueError("packed rows must have errors in this index: quantize(errors=True)")
        return x


_HOW = ("estimator", "scale", "rounding", "errors")


def _bytes_of(numbers: Tensor) -> bytes:
    return numbers.float().contiguous().numpy().tobytes()


def _floats(data: bytes, dim: int) -> Tensor:
    return torch.from_numpy(np.frombuffer(data, np.float32).copy()).reshape(-1, dim)
