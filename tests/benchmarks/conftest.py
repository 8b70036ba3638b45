from collections.abc import Iterator

import pytest
import torch

from minifloat import _C


@pytest.fixture(autouse=True)
def _same_threads_and_isa_afterwards() -> Iterator[None]:
    threads, isa = torch.get_num_threads(), _C.isa()
    yield
    torch.set_num_threads(threads)
    _C.set_isa(isa)
