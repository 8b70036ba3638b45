"""What a file of packed vectors holds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import Tensor

from minifloat.files import norms
from minifloat.formats import Format
from minifloat.frames import Frame

_OF_EACH = ("codes", "reciprocal_norms", "coordinates", "errors")


class Stored(NamedTuple):
    """What a file holds: rows, and what they are."""

    codes: Tensor
    reciprocal_norms: Tensor
    format: Format
    dim: int
    estimator: str = "norm"
    frame: Frame | None = None
    coordinates: Tensor | None = None
    errors: Tensor | None = None
    # Of an index: its numbers of the rows, and their ids, both int64.
    beside: Mapping[str, Tensor] = MappingProxyType({})

    def tensors(self) -> dict[str, Tensor]:
        """Return those of a file by name, in its order, in main memory."""
        given = {
            "reciprocal_norms": self.reciprocal_norms,
            "coordinates": self.coordinates,
            "frame_axes": None if self.frame is None else self.frame.axes,
            "codes": self.codes,
            "errors": self.errors,
            **self.beside,
        }
        return {
            name: tensor.detach().cpu().contiguous()
            for name, tensor in given.items()
            if tensor is not None
        }

    def of_each(self) -> dict[str, Any]:
        """Return what is kept of each row, by the names of fields: tensors."""
        found = {name: getattr(self, name) for name in _OF_EACH}
        return {name: of for name, of in found.items() if of is not None}

    def rows(self, first: int, end: int) -> Stored:
        """Return rows from one to another, in the same memory."""
        some = {name: of[first:end] for name, of in self.of_each().items()}
        beside = {name: of[first:end] for name, of in self.beside.items()}
        return self._replace(beside=beside, **some)

    def refuse_impossible(self, what: str) -> None:
        """Raise ValueError, which begins with `what`, for the first row that cannot be."""
        if self.frame is None and self.estimator == "norm":
            norms.refuse_impossible(what, self.reciprocal_norms, self.format, self.dim)
        else:
            norms.refuse_unscaled(what, self.reciprocal_norms, self.coordinates, self.format)
