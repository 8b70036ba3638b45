"""The CUDA backend in the emulator."""

from types import SimpleNamespace
from typing import Any

import pytest

from minifloat.backends import implementation
from minifloat.ops import OPERATORS
from tests.support import emulated


@pytest.fixture
def cuda() -> Any:
    emulated.install()
    functions = {op.name: implementation("cuda", op.name) for op in OPERATORS}
    return SimpleNamespace(**functions)
