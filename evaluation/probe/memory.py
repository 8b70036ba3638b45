"""The most memory that a piece of work takes."""

import ctypes
import gc
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

GPU = "GPU, with the weights"
PROCESS = "growth of the process, without the weights"
# Linux alone has these: what a process has in memory, and the most that it had since the reset.
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True, kw_only=True)
class PeakMemory:
    """The most memory that was taken, in bytes, and whose it is."""

    bytes: int
    of: str


def peak_memory(work: Callable[[], object]) -> PeakMemory | None:
    """Return what `work` takes at most; None where the system does not tell.

    Where a model lies on GPUs, it is what torch has allocated there. Elsewhere it is by how much
    the process grows.
    """
    gpus = [place for place in range(torch.cuda.device_count()) if _allocated(place)]
    return _of_gpus(work, gpus) if gpus else _of_process(work)


def _allocated(gpu: int) -> int:
    return torch.cuda.memory_allocated(gpu)


def _of_gpus(work: Callable[[], object], gpus: list[int]) -> PeakMemory:
    for gpu in gpus:
        torch.cuda.reset_peak_memory_stats(gpu)
    work()
    return PeakMemory(bytes=sum(torch.cuda.max_memory_allocated(gpu) for gpu in gpus), of=GPU)


def _of_process(work: Callable[[], object]) -> PeakMemory | None:
    gc.collect()
    # Only the GNU C library has it: what was freed before would be taken again unseen.
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    try:
        RESET.write_text("5")
    except OSError:
        return None
    before = _resident("VmRSS")
    work()
    return PeakMemory(bytes=max(0, _resident("VmHWM") - before), of=PROCESS)


def _resident(name: str) -> int:
    """A line of the process's status, in bytes."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    return 1024 * int(found[1]) if found else 0
