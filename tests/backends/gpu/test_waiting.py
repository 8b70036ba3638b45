"""What a backend for GPUs asks of torch: nothing that waits, as far as that shows without a GPU."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import minifloat as mf
from minifloat.backends import implementation
from minifloat.ops import OPERATORS
from minifloat.ops.products import Above
from minifloat.ops.rows import Selection
from minifloat.scoring.asking import NO_LIMIT
from minifloat.scoring.queries import sides_of
from tests.backends.cuda.asked import needs_emulator
from tests.support import emulated
from tests.support.arguments import THAT_WAIT, arguments
from tests.support.rows import normal

pytestmark = needs_emulator

# What torch can answer only when the device has come so far.
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "bincount", "equal", "_unique2")


class OnGpu(Tensor):
    """A tensor that says it is on a GPU."""

    is_cuda = True
    is_cpu = False


class Waits(TorchDispatchMode):
    """Keeps the names of what would wait for a GPU."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[str] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, given: Any = (), more: Any = None
    ) -> Any:
        name = function._schema.name.removeprefix("aten::")
        self.seen += [name] * (name in WAITING)
        return function(*given, **(more or {}))


@pytest.fixture(autouse=True)
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    emulated.install()
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: SimpleNamespace(cuda_stream=0))
    monkeypatch.setattr("minifloat.backends._device_of", lambda on: torch.no_grad())
    with torch._C.DisableTorchFunctionSubclass():
        yield


def there(x: Any) -> Any:
    if isinstance(x, list):
        return [there(part) for part in x]
    return x.detach().as_subclass(OnGpu) if isinstance(x, Tensor) else x


@pytest.mark.parametrize("name", [one.name for one in OPERATORS if one.name not in THAT_WAIT])
def test_operators_ask_nothing_that_waits(name: str) -> None:
    for format in (mf.E4M3, mf.E2M1):
        for sample in arguments(name, format):
            function = implementation("cuda", name)
            moved = [there(x) for x in sample]
            with Waits() as waits:
                function(*moved)
            assert waits.seen == []


def test_what_waits_is_seen() -> None:
    with Waits() as waits:
        normal(2).sum().item()
    assert waits.seen == ["_local_scalar_dense"]


@pytest.mark.parametrize("rows", [0, 5, 40])
def test_a_range_search_waits_once_for_a_list_that_is_long_enough(rows: int) -> None:
    from minifloat.backends import cuda

    database = mf.quantize(normal(rows), "e2m1")
    sides = sides_of(mf.quantize(normal(3, seed=1), "e2m1"), database)
    asked = Above(sides, Selection(), torch.zeros(3), NO_LIMIT)
    with Waits() as waits:
        cuda.above(asked)
    assert waits.seen == ["_local_scalar_dense"]
