"""What packed rows are, and which bytes of a row are what; also as a text of JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from minifloat.arrays import on_huge_pages
from minifloat.files.frame_facts import FrameFacts
from minifloat.files.headers import DTYPES, once_each
from minifloat.files.stored import Stored
from minifloat.formats import Format, as_format
from minifloat.frames import Frame
from minifloat.scaling import ESTIMATORS

# So that widths of rows are far below 2^31, where those of Arrow end.
MOST_DIM = 1 << 30

_VERSION = 1
_STORED = [name for name in Stored._fields if name != "beside"]
_WHAT = ("format", "dim", "estimator", "frame")
_KEYS = {"version", "format", "dim", "estimator", "frame", "fields"}
# Little-endian, whatever the machine.
_TYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "U8": np.dtype("u1")}


@dataclass(frozen=True)
class RowFacts:
    """The format of rows, their dim, estimator and frame, and whether each has its error."""

    format: Format
    dim: int
    estimator: str
    frame: Frame | None
    has_errors: bool

    @staticmethod
    def of(rows: Stored) -> RowFacts:
        """Return those of rows."""
        return RowFacts(rows.format, rows.dim, rows.estimator, rows.frame, rows.errors is not None)

    def __str__(self) -> str:
        """Return them in words."""
        errors = " with errors" if self.has_errors else ""
        return f"{self.kind}, estimator {self.estimator}{errors}"

    @property
    def kind(self) -> str:
        """What rows must have in common to be scored together, in words."""
        framed = "" if self.frame is None else f" in frame {self.frame.digest}"
        return f"dim {self.dim} in {self.format}{framed}"

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """The bytes of a row: its fields in the order of a file's tensors, without gaps."""
        shapes: dict[str, tuple[int, ...]] = {
            "reciprocal_norms": (),
            "codes": (self.format.row_bytes(self.dim),),
        }
        if self.frame is not None:
            shapes["coordinates"] = (len(self.frame.axes),)
        if self.has_errors:
            shapes["errors"] = ()
        named = [(name, _TYPES[DTYPES[name]], shapes[name]) for name in DTYPES if name in shapes]
        return np.dtype(named)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of what a row has, in that order."""
        return self.dtype.names or ()

    @property
    def row_bytes(self) -> int:
        """Bytes of all that is kept of a row."""
        return self.dtype.itemsize

    def empty(self, rows: int) -> dict[str, Tensor]:
        """Return the fields of so many rows, in which there is nothing yet."""
        row = np.empty(1, self.dtype)
        shaped = {name: torch.from_numpy(row[name].copy()) for name in self.fields}
        return {
            name: on_huge_pages(one.new_empty((rows, *one.shape[1:])))
            for name, one in shaped.items()
        }

    def rows(self, fields: Mapping[str, Any]) -> Stored:
        """Return the rows of these fields; ValueError for the first of which no row is."""
        what: dict[str, Any] = {name: getattr(self, name) for name in _WHAT}
        found = Stored(**fields, **what)
        found.refuse_impossible(f"these are no rows of {self}")
        return found

    def text(self) -> str:
        """Return the text that holds them, the same for the same facts."""
        frame: dict[str, Any] | None = None
        if self.frame is not None:
            axes = self.frame.axes.numpy().astype(_TYPES["F32"]).tobytes()
            frame = FrameFacts.of(self.frame)._asdict() | {"axes": base64.b64encode(axes).decode()}
        said = {
            "version": _VERSION,
            "format": self.format.name,
            "dim": self.dim,
            "estimator": self.estimator,
            "frame": frame,
            "fields": [*self.fields],
        }
        return json.dumps(said, separators=(",", ":"))

    @staticmethod
    def read(text: str | bytes) -> RowFacts:
        """Return those of a text; ValueError, with what is wrong, for what are none."""
        try:
            return _read(json.loads(text, object_pairs_hook=once_each))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"{text[:80]!r} does not say what rows are: {error}") from error


def stored_of(vectors: Any) -> Stored:
    """Return packed vectors as files hold them."""
    return Stored(**{name: getattr(vectors, name) for name in _STORED})


def fields_of(stored: Stored) -> dict[str, Any]:
    """Return what packed vectors are made of, by the names of their fields."""
    return {name: getattr(stored, name) for name in _STORED}


def described(facts: RowFacts, rows: int, nbytes: int, device: torch.device) -> str:
    """Return the text of so many rows, of so many bytes: how much smaller they are than floats."""
    ratio = 4 * facts.dim * rows / nbytes if rows else 1.0
    framed = "" if facts.frame is None else f", in frame {facts.frame.digest}"
    return (
        f"PackedVectors({rows} x {facts.dim} {facts.format}, {nbytes:,} bytes, "
        f"{ratio:.2f}x smaller than float32, {device}{framed})"
    )


def _read(said: Any) -> RowFacts:
    missing = _KEYS - {*said}
    if missing:
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    if said["version"] != _VERSION:
        raise ValueError(f"version must be {_VERSION}; got {said['version']!r}")
    format, dim, estimator = as_format(said["format"]), said["dim"], said["estimator"]
    if type(dim) is not int or not 1 <= dim <= MOST_DIM:
        raise ValueError(f"dim must be in 1..{MOST_DIM}; got {dim!r}")
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}; got {estimator!r}")
    frame = None if said["frame"] is None else _frame(said["frame"], dim)
    facts = RowFacts(format, dim, estimator, frame, "errors" in said["fields"])
    if said["fields"] != [*facts.fields]:
        raise ValueError(f"fields must be {', '.join(facts.fields)}; got {said['fields']!r}")
    return facts


def _frame(said: Any, dim: int) -> Frame:
    """Return the frame of rows of a dim; ValueError if its axes are not its own."""
    facts = {**said}
    axes = np.frombuffer(base64.b64decode(facts.pop("axes"), validate=True), _TYPES["F32"])
    axes = axes.astype(np.float32).reshape(-1, dim)
    return FrameFacts.read(json.dumps(facts)).frame(torch.from_numpy(axes))
