"""What a case is: one operation on one input, ready to be timed beside its limit and its rivals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import minifloat as mf
from minifloat.ops.checks import SOURCES

FLOATS = tuple(str(dtype).removeprefix("torch.") for dtype in SOURCES)

Run = Callable[[], object]
J = TypeVar("J")


@dataclass(frozen=True)
class Sizes:
    """Sizes of inputs: the values of elementwise operations, and what scores and search take."""

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
    def cases(self, format: mf.Format, source: str, sizes: Sizes) -> Sequence[Case]:
        """Return a case for each of the sizes."""


@dataclass(frozen=True)
class Case(ABC):
    """One operation on one input; `source` is the dtype of values, or "codes" or "packed"."""

    op: Op
    format: mf.Format
    source: str

    # What the machine itself does with as many bytes, and what is counted per second.
    limit: ClassVar[str]
    unit: ClassVar[str]

    @property
    @abstractmethod
    def inputs(self) -> dict[str, int | str]:
        """The sizes by name, and what else tells this case from others."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of the work."""

    @property
    @abstractmethod
    def amount(self) -> float:
        """How many of its unit the case comes to."""

    @abstractmethod
    def prepare(self, rivals: Sequence[Rival[Any]]) -> Work:
        """Return all that is to be timed; RivalError if a rival gives another answer."""

    def __str__(self) -> str:
        """Return the case in words."""
        inputs = ", ".join(f"{name} {value}" for name, value in self.inputs.items())
        return f"{self.op.name} {self.format} from {self.source}, {inputs}"


@dataclass(frozen=True)
class Contender:
    """A run, and where its answer is approximate, the share of nearest rows that it finds."""

    run: Run
    recall: float | None = None


@dataclass(frozen=True)
class Work:
    """What a case times: minifloat, the machine's limits, rivals; and the bytes that it moves.

    It keeps the job, because kernels hold no more than the addresses of what they read and write.
    """

    job: object
    ours: Contender
    limits: Mapping[str, Run]
    multiply: Run | None
    rivals: Mapping[str, Contender]
    bytes: int


class RivalError(Exception):
    """A rival gives another answer than minifloat."""


@dataclass(frozen=True)
class Rival(Generic[J]):
    """Another package, by the name under which it is imported; further words tell its ways apart.

    `start` makes it do a job of its operations, or says None where it cannot. `check` runs that,
    and returns its recall (None where answers are exact) or raises RivalError with the reason.
    """

    name: str
    ops: tuple[str, ...]
    start: Callable[[J], Run | None]
    check: Callable[[J, Run], float | None]


def package(rival: str) -> str:
    """Return the package that a rival's name begins with."""
    return rival.partition(" ")[0]


def checked(rivals: Sequence[Rival[J]], case: Case, job: J) -> dict[str, Contender]:
    """Return the rivals that can do the job, each run once; RivalError if an answer is refused."""
    contenders = {}
    for rival in rivals:
        run = rival.start(job) if case.op.name in rival.ops else None
        if run is None:
            continue
        try:
            contenders[rival.name] = Contender(run, rival.check(job, run))
        except RivalError as error:
            message = f"{rival.name} gives another answer for {case}: {error}"
            raise RivalError(message) from error
    return contenders
