"""The backends of GPUs, each of which serves the tensors of the one that is here."""

from collections.abc import Iterator

import pytest

from minifloat.backends import BACKENDS, serving
from tests.support.on_gpu import served_by

GPU_BACKENDS = [one.module for one in BACKENDS if one.key == "CUDA" and one.available] or [
    serving("CUDA").module
]


@pytest.fixture(params=GPU_BACKENDS)
def gpu_backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The backend that serves the GPU's tensors during the test."""
    name: str = request.param
    with served_by(name, "CUDA"):
        yield name
