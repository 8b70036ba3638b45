"""The device that is measured: what it is, its clock and its memory."""

from __future__ import annotations

import platform
from abc import ABC, abstractmethod

import torch

from benchmarks.harness.timing import Clock, Run, wall_clock


class DeadDeviceError(Exception):
    """A device answers nothing any more, as after a bad address; the message says since what."""


class Device(ABC):
    """A torch device, the clock that its work is timed with, and its memory."""

    def __init__(self, name: str) -> None:
        self.torch = torch.device(name)

    @property
    @abstractmethod
    def facts(self) -> dict[str, str | int]:
        """The name and the properties."""

    @property
    @abstractmethod
    def software(self) -> dict[str, str | None]:
        """Versions of what drives it."""

    @abstractmethod
    def clock(self, run: Run) -> Clock:
        """Return a run's clock."""

    @abstractmethod
    def wall(self, run: Run) -> Clock:
        """Return the clock of a run as its caller sees it, all that it starts included."""

    @abstractmethod
    def peak_bytes(self, run: Run) -> int | None:
        """Return the most memory that a run takes beyond its inputs; None where nobody counts."""

    @abstractmethod
    def recover(self, since: str) -> None:
        """Give back what a run has left of memory; DeadDeviceError where that cannot be done."""

    def generator(self, seed: int) -> torch.Generator:
        """Return a generator of random numbers on the device."""
        return torch.Generator(self.torch).manual_seed(seed)


class Processor(Device):
    """The CPU, timed by the wall clock; its caches are left as they are."""

    def __init__(self) -> None:
        super().__init__("cpu")

    @property
    def facts(self) -> dict[str, str | int]:
        """The kind of processor."""
        return {"name": f"cpu {platform.machine()}"}

    @property
    def software(self) -> dict[str, str | None]:
        """What runs there that has a version: nothing but what all records tell."""
        return {}

    def clock(self, run: Run) -> Clock:
        """Return the wall clock."""
        return wall_clock(run)

    def wall(self, run: Run) -> Clock:
        """Return the wall clock, too."""
        return wall_clock(run)

    def peak_bytes(self, run: Run) -> None:
        """Return None."""

    def recover(self, since: str) -> None:
        """Do nothing."""
