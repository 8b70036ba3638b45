"""What is asked of databases in files, and processes that ask it alone."""

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

import pytest
import torch

ONLY_LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux says what memory a process holds"
)

DIM = 256

Answer = TypeVar("Answer")


def alone(work: Callable[..., Answer], *arguments: Any) -> Answer:
    """What a function gives in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result(timeout=100)


def queries(count: int = 70) -> torch.Tensor:
    return torch.randn(count, DIM, generator=torch.Generator().manual_seed(count))
