"""The devices that can be measured: a GPU, and the CPU, on which the whole flow can be tried."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import torch

from benchmarks.harness.device import DeadDeviceError, Device, Processor
from benchmarks.harness.machine import said
from benchmarks.harness.timing import Clock, Run

# What is written between runs, to leave nothing of their inputs in the cache.
_LEAST_FLUSH = 2**28


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

    @property
    def software(self) -> dict[str, str | None]:
        """The versions of CUDA and of the driver."""
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        return {"cuda": torch.version.cuda, "driver": said(query)}

    def clock(self, run: Run) -> Clock:
        """Return the clock of two events around a run, whose inputs are in no cache."""

        def seconds() -> float:
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            self._flush.zero_()
            start.record()
            run()
            stop.record()
            stop.synchronize()
            milliseconds: float = start.elapsed_time(stop)
            return milliseconds / 1e3

        return seconds

    def wall(self, run: Run) -> Clock:
        """Return the clock of a run from its call until the device has nothing more to do."""

        def seconds() -> float:
            self._flush.zero_()
            torch.cuda.synchronize()
            start = perf_counter()
            run()
            torch.cuda.synchronize()
            return perf_counter() - start

        return seconds

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


DEVICES: dict[str, Callable[[], Device]] = {"cuda": Gpu, "cpu": Processor}
