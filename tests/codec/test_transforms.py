"""What torch's transforms of functions make of the codec: derivatives and whole batches."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, func
from torch.autograd import forward_ad

import minifloat as mf

pytestmark = pytest.mark.gpu

OPS = torch.ops.minifloat
Function = Callable[[Tensor], Tensor]


def backward(f: Function, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    f(x).sum().backward()
    assert x.grad is not None
    return x.grad


def twice(f: Function, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (first,) = torch.autograd.grad(square(f)(x), x, create_graph=True)
    return torch.autograd.grad(first.sum(), x)[0]


def dual(f: Function, x: Tensor) -> Tensor:
    with forward_ad.dual_level():
        found: Tensor | None = forward_ad.unpack_dual(
            f(forward_ad.make_dual(x, torch.ones_like(x)))
        ).tangent
    assert found is not None
    return found


def forward(f: Function, x: Tensor) -> Tensor:
    tangent: Tensor = func.jvp(f, (x,), (torch.ones_like(x),))[1]
    return tangent


def summed(f: Function) -> Function:
    return lambda x: f(x).sum()


def square(f: Function) -> Function:
    return lambda x: (f(x) ** 2 / 2).sum()


# What gives a 1 for each element of the identity.
DERIVATIVES: dict[str, Callable[[Function, Tensor], Tensor]] = {
    "backward": backward,
    "backward twice": twice,
    "forward mode": dual,
    "grad": lambda f, x: func.grad(summed(f))(x),
    "vjp": lambda f, x: func.vjp(f, x)[1](torch.ones_like(x))[0],
    "jvp": forward,
    "jacrev": lambda f, x: func.jacrev(f)(x).sum((0, 1)),
    "jacfwd": lambda f, x: func.jacfwd(f)(x).sum((0, 1)),
    "hessian": lambda f, x: func.hessian(square(f))(x).sum((0, 1)),
    "jvp of grad": lambda f, x: forward(func.grad(square(f)), x),
    "vmap of grad": lambda f, x: func.vmap(func.grad(summed(f)), 1, 1)(x),
    "grad of vmap": lambda f, x: func.grad(summed(func.vmap(f, 1)))(x),
    "vmap of jvp": lambda f, x: func.vmap(partial(forward, f))(x),
}


@pytest.mark.parametrize("mode", DERIVATIVES)
def test_every_derivative_of_round_goes_straight_through(mode: str, backend: str) -> None:
    # Strided, rounded to either side and to either zero, and too large.
    x = torch.linspace(-9, 9, 20).reshape(4, 5).T
    functions: list[Function] = [
        lambda x: mf.round(x, "e2m1"),
        lambda x: OPS.round(x, "e2m1", True),
    ]
    for f in functions:
        assert torch.equal(DERIVATIVES[mode](f, x), torch.ones_like(x))


@pytest.mark.parametrize("mode", ["backward", "grad", "vjp", "jvp", "vmap of grad"])
def test_every_derivative_of_compiled_round_goes_straight_through(mode: str) -> None:
    torch.compiler.reset()
    x = torch.linspace(-9, 9, 20).reshape(4, 5).T

    def f(x: Tensor) -> Tensor:
        return mf.round(x, "e2m1") * 3

    if mode == "backward":
        compiled = torch.compile(f, fullgraph=True, backend="aot_eager")
        found = backward(compiled, x)
    else:
        whole = torch.compile(
            lambda x: DERIVATIVES[mode](f, x), fullgraph=True, backend="aot_eager"
        )
        found = whole(x)
    assert torch.equal(found, torch.full_like(x, 3))


def test_vmap_calls_each_function_of_the_codec_once_for_a_whole_batch(
    format: mf.Format, backend: str
) -> None:
    x = torch.linspace(-9, 9, 4 * 5 * 6).reshape(4, 5, 6)
    codes, packed = mf.encode(x, format), mf.encode_pack(x, format)
    functions: list[tuple[Function, Tensor]] = [
        (lambda x: mf.encode(x, format), x),
        (lambda x: mf.round(x, format), x),
        (lambda x: mf.encode_pack(x, format), x),
        (lambda x: mf.decode(x, format), codes),
        (lambda x: mf.pack(x, format), codes),
        (lambda x: mf.unpack(x, format, 6), packed),
        (lambda x: OPS.reciprocal_norms(x, format.name, 6), packed),
    ]
    for f, argument in functions:
        expected = torch.stack([f(one) for one in argument])
        for place in range(3):
            assert torch.equal(func.vmap(f, place)(argument.movedim(0, place)), expected)
