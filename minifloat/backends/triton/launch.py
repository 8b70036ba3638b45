"""Launches of Triton's kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def multiprocessors(device: torch.device) -> int:
    if device.type == "cpu":
        return 1
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def launch(kernel: Any, *grid: int) -> Callable[..., None]:
    """Return the kernel on a grid, on the current device; nothing where the grid is empty.

    Along its first axis a grid may have 2^31 - 1 blocks, along any other 65535.
    """

    def run(*arguments: object, **constants: object) -> None:
        if 0 not in grid:
            kernel[grid](*arguments, **constants)

    return run


def blocks(count: int, size: int) -> int:
    """Return how many blocks of a size hold so many."""
    return -(-count // size)
