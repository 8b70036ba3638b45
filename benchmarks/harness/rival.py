"""Other packages that do what minifloat does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from benchmarks.harness.timing import Run

J = TypeVar("J")


class RivalError(Exception):
    """An answer is not the one that is expected, or not as good."""


class NotHereError(Exception):
    """A rival does not run here; the message says why, or what installs it."""


@dataclass(frozen=True)
class Rival(Generic[J]):
    """Another package, by the name under which it is imported; further words tell its ways apart.

    `start` makes it do a job of its operations, or says None where it cannot. `check` runs that,
    and returns its recall (None where answers are exact) or raises RivalError with the reason.
    `device` is what minifloat runs on beside it.
    """

    name: str
    ops: tuple[str, ...]
    start: Callable[[J], Run | None]
    check: Callable[[J, Run], float | None]
    device: str = "cpu"


def package(rival: str) -> str:
    """Return the package that a rival's name begins with."""
    return rival.partition(" ")[0]


def rivals_of(rivals: Iterable[Rival[Any]], op: str, device: str = "cpu") -> list[Rival[Any]]:
    """Return the rivals that have an operation, beside minifloat on a device."""
    return [rival for rival in rivals if op in rival.ops and rival.device == device]
