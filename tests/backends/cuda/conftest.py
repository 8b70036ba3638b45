"""The CUDA backend in the emulator."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from minifloat.backends import implementation
from minifloat.ops import OPERATORS
from tests.support import emulated


@pytest.fixture(params=["packed", "floats"])
def are_packed(request: pytest.FixtureRequest) -> bool:
    packed: bool = request.param == "packed"
    return packed


@pytest.fixture
def cuda() -> Any:
    emulated.install()
    functions = {op.name: implementation("cuda", op.name) for op in OPERATORS}
    return SimpleNamespace(**functions)


@pytest.fixture
def ways() -> Iterator[Any]:
    """The ways of this process, which are the new ones again after the test."""
    with emulated.ways() as chosen:
        yield chosen


@pytest.fixture
def multiprocessors() -> Iterator[Any]:
    """A function that says how many multiprocessors the GPU has during the test."""
    yield emulated.set_multiprocessors
    emulated.set_multiprocessors(emulated.FEW_MULTIPROCESSORS)
