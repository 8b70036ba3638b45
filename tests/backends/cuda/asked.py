"""What the CUDA backend is asked, as its operators take it."""

from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation
from minifloat.ops import arguments
from minifloat.ops.products import AllScores, Best
from minifloat.ops.rows import Selection
from minifloat.scoring.queries import sides_of
from tests.support import emulated

needs_emulator = pytest.mark.skipif(not emulated.IS_HERE, reason=emulated.NOT_HERE)


def scores(a: mf.PackedVectors, b: mf.PackedVectors) -> tuple[Any, ...]:
    """The arguments of an operator that scores rows."""
    return arguments(AllScores(sides_of(a, b)))


def search(a: mf.PackedVectors, b: mf.PackedVectors, k: int, *chosen: Any) -> tuple[Any, ...]:
    """The arguments of an operator that searches rows."""
    return arguments(Best(sides_of(a, b), Selection(*chosen), k))


def assert_found(cuda: Any, asked: tuple[Any, ...]) -> None:
    """A search finds what the plain one does."""
    expected = implementation("eager", "search")(*asked)
    for ours, theirs in zip(cuda.search(*asked), expected, strict=True):
        assert torch.equal(ours, theirs)
