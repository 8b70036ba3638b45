from collections.abc import Callable
from functools import partial
from typing import Any

import hypothesis
import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from torch import Tensor, func
from torch.autograd import forward_ad

import minifloat as mf
from minifloat.ops.checks import SOURCES
from tests.support import oracles

pytestmark = pytest.mark.gpu

OPS = torch.ops.minifloat
Function = Callable[[Tensor], Tensor]
SATURATE = pytest.mark.parametrize("saturate", [True, False], ids=["saturate", "special"])
INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
FLOATS = hnp.arrays(np.uint32, st.integers(1, 99), elements=st.integers(0, 2**32 - 1))


def every_code(format: mf.Format) -> NDArray[np.uint8]:
    return np.arange(2**format.bits, dtype=np.uint8)


def hard_values(format: mf.Format, dtype: type = np.float32) -> NDArray[np.floating]:
    """Every value, every midpoint, what lies beyond the largest, and the neighbours of each."""
    finite = format.finite.astype(np.float64)
    step = finite[-1] - finite[-2]
    exact = np.concatenate(
        [finite, (finite[1:] + finite[:-1]) / 2, finite[-1] + step * np.array([0.5, 1, 9])]
    )
    info = np.finfo(dtype)
    extremes = [info.max, info.tiny, info.smallest_subnormal, np.inf, np.nan]
    x: NDArray[np.floating] = np.concatenate([exact, extremes]).astype(dtype)
    with np.errstate(over="ignore"):
        x = np.concatenate([x, np.nextafter(x, dtype(0)), np.nextafter(x, dtype(np.inf))])
    return np.concatenate([x, -x])


def test_decode_gives_the_value_of_every_code(format: mf.Format, backend: str) -> None:
    codes = every_code(format)
    expected = oracles.decode(codes, format)
    np.testing.assert_array_equal(mf.decode(codes, format), expected)
    assert np.array_equal(np.signbit(mf.decode(codes, format)), np.signbit(expected))
    np.testing.assert_array_equal(format.values, expected)


@SATURATE
def test_gfloat_gives_the_values_of_codes_and_of_numbers_too(
    format: mf.Format, saturate: bool
) -> None:
    gfloat = pytest.importorskip("gfloat")
    values = gfloat.decode_ndarray(oracles.gfloat_format(format), every_code(format))
    np.testing.assert_array_equal(values, oracles.decode(every_code(format), format))
    x = hard_values(format, np.float64)
    x = x[~np.isnan(x)]
    expected = oracles.round_once_by_gfloat(x, format, saturate=saturate)
    np.testing.assert_array_equal(oracles.round_once(x, format, saturate=saturate), expected)


def test_decode_ignores_bits_above_the_formats(format: mf.Format, backend: str) -> None:
    codes = np.arange(256, dtype=np.uint8)
    expected = format.values[codes & (2**format.bits - 1)]
    np.testing.assert_array_equal(mf.decode(codes, format), expected)


def test_encode_inverts_decode(format: mf.Format, backend: str) -> None:
    codes = every_code(format)
    values = mf.decode(codes, format)
    number = ~np.isnan(values)
    back = mf.encode(values, format, saturate=False)
    assert np.array_equal(back[number], codes[number])


@SATURATE
def test_encode_is_right_at_every_boundary(format: mf.Format, backend: str, saturate: bool) -> None:
    x = hard_values(format)
    expected = oracles.encode(x, format, saturate=saturate)
    np.testing.assert_array_equal(mf.encode(x, format, saturate=saturate), expected)


@SATURATE
@hypothesis.given(bits=FLOATS)
def test_encode_is_right_for_any_bits(
    format: mf.Format, backend: str, saturate: bool, bits: NDArray[np.uint32]
) -> None:
    x = bits.view(np.float32)
    expected = oracles.encode(x, format, saturate=saturate)
    np.testing.assert_array_equal(mf.encode(x, format, saturate=saturate), expected)


@SATURATE
def test_encode_rounds_float64_once(format: mf.Format, backend: str, saturate: bool) -> None:
    x = hard_values(format, np.float64)
    x = x[~np.isnan(x)]
    expected = oracles.round_once(x, format, saturate=saturate)
    np.testing.assert_array_equal(mf.round(x, format, saturate=saturate), expected)


@SATURATE
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_encode_is_right_for_every_short_float(
    format: mf.Format, backend: str, saturate: bool, dtype: torch.dtype
) -> None:
    x = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(dtype)
    expected = oracles.encode(x.float().numpy(), format, saturate=saturate)
    np.testing.assert_array_equal(mf.encode(x, format, saturate=saturate).numpy(), expected)


@pytest.mark.parametrize("format", oracles.IN_ML_DTYPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16], ids=lambda t: t.__name__)
def test_short_floats_become_the_codes_that_ml_dtypes_gives_them(
    format: mf.Format, dtype: type
) -> None:
    x: NDArray[Any] = np.arange(2**16, dtype=np.uint16).view(dtype)
    with np.errstate(all="ignore"):
        theirs = x.astype(oracles.ml_dtype(format))
    np.testing.assert_array_equal(mf.encode(x, format, saturate=False), theirs.view(np.uint8))


@pytest.mark.parametrize("format", oracles.IN_ML_DTYPES, ids=str)
def test_a_float64_beside_a_tie_is_rounded_once_where_ml_dtypes_and_torch_round_twice(
    format: mf.Format, backend: str
) -> None:
    finite = format.finite.astype(np.float64)
    below = np.nextafter((finite[1:] + finite[:-1]) / 2, 0)
    x = np.concatenate([below, -below])
    # All are nearer to the lower magnitude, and float32 makes ties of them.
    lower = np.concatenate([finite[:-1], -finite[:-1]])
    np.testing.assert_array_equal(mf.round(x, format), lower)
    theirs = x.astype(oracles.ml_dtype(format)).astype(np.float64)
    assert np.count_nonzero(theirs != lower) == 2 * (len(below) // 2)
    if format.torch_dtype and format.bits == 8:
        torchs = torch.from_numpy(x).to(format.torch_dtype).double().numpy()
        np.testing.assert_array_equal(torchs, theirs)


@hypothesis.given(x=hnp.arrays(np.float64, 50, elements=st.floats(width=64)))
def test_encode_rounds_any_float64_once(
    format: mf.Format, backend: str, x: NDArray[np.float64]
) -> None:
    x = np.concatenate([x, x * 1e-300, x[np.isfinite(x)] % 8])
    number = x[~np.isnan(x)]
    expected = oracles.round_once(number, format, saturate=True)
    np.testing.assert_array_equal(mf.round(number, format), expected)


@hypothesis.given(bits=FLOATS)
def test_encode_is_monotone(format: mf.Format, backend: str, bits: NDArray[np.uint32]) -> None:
    x = np.sort(bits.view(np.float32))
    x = x[~np.isnan(x)]
    assert np.all(np.diff(mf.round(x, format)) >= 0)


@hypothesis.given(bits=FLOATS)
def test_round_gives_a_nearest_value(
    format: mf.Format, backend: str, bits: NDArray[np.uint32]
) -> None:
    x = bits.view(np.float32)
    x = np.clip(x[np.isfinite(x)], -format.max, format.max).astype(np.float64)
    finite = np.concatenate([-format.finite, format.finite]).astype(np.float64)
    nearest = np.abs(finite - x[:, None]).min(1, initial=np.inf)
    np.testing.assert_array_equal(np.abs(mf.round(x, format) - x), nearest)


def test_overflow_saturates_or_becomes_special() -> None:
    x = np.array([1e9, -1e9, np.inf, 465.0], np.float32)
    assert mf.round(x, "e4m3").tolist() == [448, -448, 448, 448]
    assert np.isnan(mf.round(x, "e4m3", saturate=False)).all()
    assert mf.round(x, "e5m2", saturate=False).tolist() == [np.inf, -np.inf, np.inf, 448]
    assert mf.round(x, "e2m1", saturate=False).tolist() == [6, -6, 6, 6]


@pytest.mark.parametrize("dtype", SOURCES, ids=str)
def test_nan_stays_nan_or_becomes_a_zero_of_the_other_sign(
    format: mf.Format, backend: str, dtype: torch.dtype
) -> None:
    bits = torch.tensor([torch.nan]).to(dtype).view(INTEGERS[dtype.itemsize])
    sign = torch.iinfo(bits.dtype).min
    x = torch.cat([bits & ~sign, bits | sign]).view(dtype)
    values = mf.decode(mf.encode(x, format), format)
    if format.specials == "none":
        assert values.tolist() == [0, 0]
        assert values.signbit().tolist() == [True, False]
    else:
        assert values.isnan().all()
        assert values.signbit().tolist() == [False, True]


def test_flush_to_zero_changes_nothing(format: mf.Format, backend: str) -> None:
    x = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(torch.float16)
    expected = mf.encode(x, format), mf.round(x, format)
    torch.set_flush_denormal(True)
    try:
        found = mf.encode(x, format), mf.round(x, format)
    finally:
        torch.set_flush_denormal(False)
    if backend == "eager":
        pytest.skip("plain torch flushes float16 subnormals, as the caller asked")
    for a, b in zip(expected, found, strict=True):
        assert torch.equal(a.view(torch.int8), b.view(torch.int8))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_round_keeps_the_dtype(format: mf.Format, backend: str, dtype: torch.dtype) -> None:
    x = torch.linspace(-9, 9, 77).to(dtype)
    rounded = mf.round(x, format)
    assert rounded.dtype == dtype
    assert torch.equal(rounded.float(), mf.decode(mf.encode(x, format), format))


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


def test_values_of_round_do_not_depend_on_who_differentiates(
    format: mf.Format, backend: str
) -> None:
    x = torch.from_numpy(hard_values(format))
    bits = mf.round(x, format).view(torch.int32)
    assert torch.equal(mf.round(x.clone().requires_grad_(), format).view(torch.int32), bits)
    found = func.jvp(lambda x: mf.round(x, format), (x,), (x,))[0]
    assert torch.equal(found.view(torch.int32), bits)


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


def test_any_shape_and_stride_is_taken(format: mf.Format, backend: str) -> None:
    x = torch.randn(6, 4, 10)
    expected = mf.encode(x, format)
    assert torch.equal(mf.encode(x.transpose(0, 2), format), expected.transpose(0, 2))
    assert torch.equal(mf.encode(x[::2, :, 3], format), expected[::2, :, 3])
    assert torch.equal(mf.encode(x[0, 0, 0], format), expected[0, 0, 0])
    for shape in ((0,), (3, 0), (0, 5)):
        assert mf.encode(torch.empty(shape), format).shape == shape
        assert mf.decode(torch.empty(shape, dtype=torch.uint8), format).shape == shape


@pytest.mark.parametrize("count", [1, 7, 63, 65, 1023, 1025, 70000, 200001])
def test_every_length_is_encoded_to_its_end(format: mf.Format, backend: str, count: int) -> None:
    x = np.random.default_rng(count).normal(0, 4, count).astype(np.float32)
    codes = mf.encode(x, format)
    np.testing.assert_array_equal(codes, oracles.encode(x, format, saturate=True))
    np.testing.assert_array_equal(mf.decode(codes, format), oracles.decode(codes, format))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_runs_of_millions_are_encoded_as_their_parts_are(isa: str, dtype: torch.dtype) -> None:
    bits = torch.randint(-(2**15), 2**15, (2**22 + 1003,), dtype=torch.int16)
    x = bits.view(torch.bfloat16).to(dtype)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for format in (mf.E4M3, mf.E2M1):
            parts = [mf.encode(part, format) for part in x.split(2**20)]
            assert torch.equal(mf.encode(x, format), torch.cat(parts))
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.complex64])
def test_values_of_other_types_are_refused(backend: str, dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix("torch.")
    message = f"x must be one of float16, bfloat16, float32, float64; got {name}"
    for function in (mf.encode, mf.round, mf.encode_pack):
        with pytest.raises(TypeError, match=message):
            function(torch.zeros(4).to(dtype), "e2m1")


def test_codes_of_other_types_are_refused(backend: str) -> None:
    with pytest.raises(TypeError, match="codes must be uint8; got float32"):
        mf.decode(torch.zeros(4), "e2m1")
