"""Cases of public calls and kernels of the CPU, each in one format: what scripts/bench measures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import minifloat as mf
from benchmarks.harness.contest import ContestCase
from minifloat.ops.checks import SOURCES

FLOATS = tuple(str(dtype).removeprefix("torch.") for dtype in SOURCES)


@dataclass(frozen=True)
class Sizes:
    """Sizes of inputs: the values of codecs, and what scores and search take."""

    values: Sequence[int]
    queries: Sequence[int]
    rows: int
    dim: int
    k: int


@dataclass(frozen=True)
class Op(ABC):
    """An operation: its name, and what it can read."""

    name: str
    sources: tuple[str, ...]

    @abstractmethod
    def cases(self, format: mf.Format, source: str, sizes: Sizes) -> Sequence[CallCase]:
        """Return a case for each of the sizes."""


@dataclass(frozen=True)
class CallCase(ContestCase):
    """An operation in one format; `source` is the dtype of values, or "codes" or "packed"."""

    op: str
    format: mf.Format
    source: str

    # What the machine itself does with as many bytes, and what is counted per second.
    bound: ClassVar[str]
    unit: ClassVar[str]

    @property
    @abstractmethod
    def sizes(self) -> dict[str, int | str]:
        """The sizes by name, and what else tells this case from others of its source."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of the work."""

    @property
    def inputs(self) -> dict[str, int | str]:
        """The format, the source and the sizes."""
        return {"format": self.format.name, "source": self.source, **self.sizes}
