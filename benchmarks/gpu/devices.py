"""The device that is measured: what it is, its clock and its memory."""

from __future__ import annotations

import platform
from abc import ABC, abstractmethod
from collections.abc import Callable
from time import perf_counter

import torch

from benchmarks.cases import Run

# What is written between runs, to leave nothing of their inputs in the cache.
_LEAST_FLUSH = 2**28


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

    @abstractmethod
    def seconds(self, run: Run) -> float:
        """Return the time of one run, whose inputs are in no cache."""

    @abstractmethod
    def peak_bytes(self, run: Run) -> int | None:
        """Return the most memory that a run takes beyond its inputs; None where nobody counts."""

    @abstractmethod
    def recover(self, since: str) -> None:
        """Give back what a run has left of memory; DeadDeviceError where that cannot be done."""

    def generator(self, seed: int) -> torch.Generator:
        """Return a generator of random numbers on the device."""
        return torch.Generator(self.torch).manual_seed(seed)


class Gpu(Device):
    """The current CUDA device, timed with its own events."""

    def __init__(self) -> None:
        super().__init__(f"cuda:{torch.cuda.current_device()}")
        self._properties = torch.cuda.get_device_properties(self.torch)
        flush = max(_LEAST_FLUSH, 4 * self._properties.L2_cache_size)
        self._flush = torch.empty(flush, dtype=torch.uint8, device=self.torch)

    @property
    def facts(self) -> dict[str, str | int]:
        """The name, the compute capability, multiprocessors and bytes of memory and L2 cache."""
        found = self._properties
        return {
            "name": found.name,
            "compute_capability": f"{found.major}.{found.minor}",
            "multiprocessors": found.multi_processor_count,
            "memory_bytes": found.total_memory,
            "l2_bytes": found.L2_cache_size,
        }

    def seconds(self, run: Run) -> float:
        """Return the time between two events around a run."""
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        self._flush.zero_()
        start.record()
        run()
        stop.record()
        stop.synchronize()
        milliseconds: float = start.elapsed_time(stop)
        return milliseconds / 1e3

    def peak_bytes(self, run: Run) -> int:
        """Return what torch's allocator counts."""
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before

    def recover(self, since: str) -> None:
        """Wait, and empty the allocator's cache, which a larger block may not fit beside."""
        try:
            torch.cuda.synchronize()
            torch.cuda.empty_cache()
        except RuntimeError as error:
            raise DeadDeviceError(since or " ".join(str(error).split())) from error


class Processor(Device):
    """The CPU, which the whole flow can be tried on; its caches are left as they are."""

    def __init__(self) -> None:
        super().__init__("cpu")

    @property
    def facts(self) -> dict[str, str | int]:
        """The kind of processor."""
        return {"name": f"cpu {platform.machine()}"}

    def seconds(self, run: Run) -> float:
        """Return the time by the wall clock."""
        start = perf_counter()
        run()
        return perf_counter() - start

    def peak_bytes(self, run: Run) -> None:
        """Return None."""

    def recover(self, since: str) -> None:
        """Do nothing."""


DEVICES: dict[str, Callable[[], Device]] = {"cuda": Gpu, "cpu": Processor}
