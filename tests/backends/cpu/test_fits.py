from functools import cache
from itertools import product
from typing import Any

import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation
from minifloat.frames import tensors_of
from minifloat.scaling import ESTIMATORS, SCALES
from tests.support.rows import normal

# Within a block, at its ends, and in several blocks.
DIMS = [1, 7, 15, 16, 17, 192, 1030, 2100]


def rows(dim: int) -> torch.Tensor:
    """Rows of all lengths, and some of zeros, of equal signs, and of one value."""
    x = normal(12, dim) * torch.logspace(-30, 30, 12)[:, None]
    x[3], x[4], x[5], x[6] = 0, -0.0, 3e38, 1e-45
    x[7] = -x[7].abs()
    x[8], x[8, dim // 2] = 0, -2
    return x


# Answers in torch take longest, and are the same for all instruction sets.
@cache
def fitted_in_torch(
    name: str, dim: int, scale: str, estimator: str, saturate: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    by_definition = implementation("eager", "quantize")
    codes, norms = by_definition(rows(dim), name, scale, estimator, saturate)
    return codes, norms


@pytest.mark.parametrize("dim", DIMS)
def test_rows_are_fitted_to_a_format_as_in_torch(format: mf.Format, dim: int, isa: str) -> None:
    for scale, estimator, saturate in product(SCALES, ESTIMATORS, (True, False)):
        asked = format.name, scale, estimator, saturate
        codes, norms = torch.ops.minifloat.quantize(rows(dim), *asked)
        expected_codes, expected = fitted_in_torch(format.name, dim, scale, estimator, saturate)
        assert torch.equal(codes, expected_codes)
        if estimator == "norm":
            # Squares of floats are added up in another order.
            torch.testing.assert_close(norms, expected, rtol=2e-7, atol=0, equal_nan=True)
        else:
            assert ((norms == expected) | (norms.isnan() & expected.isnan())).all()


@pytest.mark.parametrize("dim", DIMS)
def test_rows_are_projected_as_in_torch(dim: int, isa: str) -> None:
    frame = mf.Frame.fit(normal(50, dim, seed=1), min(2, dim), seed=5)
    tensors = tensors_of(frame, torch.device("cpu"))
    by_definition = implementation("eager", "project")
    for x in (rows(dim), rows(dim).double(), rows(dim).bfloat16(), normal(3, dim).half()):
        found = torch.ops.minifloat.project(x, tensors)
        for one, other in zip(found, by_definition(x, tensors), strict=True):
            assert torch.equal(one, other)


@cache
def asked_in_a_frame(name: str, dim: int) -> list[tuple[Any, Any]]:
    """Arguments, and what torch answers to them."""
    frame = mf.Frame.fit(normal(50, dim, seed=1), min(2, dim))
    *tensors, none = tensors_of(frame, torch.device("cpu"))
    shares = (normal(dim, dim, seed=2) / dim).tril(-1)
    by_definition = implementation("eager", "quantize_in_frame")
    found = []
    for x, scale, estimator, fed in (
        (rows(dim), "cosine", "unbiased", none),
        (rows(dim).bfloat16(), "amax", "unbiased", none),
        # Of many places plain torch takes long.
        (rows(dim)[: 12 if dim < 1000 else 0].repeat(3, 1), "cosine", "unbiased", shares),
        (rows(dim)[: 12 if dim < 1000 else 0], "amax", "norm", shares),
    ):
        asked = x, [*tensors, fed], name, scale, estimator, False
        found.append((asked, by_definition(*asked)))
    return found


@pytest.mark.parametrize("dim", DIMS)
def test_rows_in_a_frame_are_quantized_as_in_torch(format: mf.Format, dim: int, isa: str) -> None:
    for asked, expected in asked_in_a_frame(format.name, dim):
        found = torch.ops.minifloat.quantize_in_frame(*asked)
        for one, other in zip(found, expected, strict=True):
            assert torch.equal(one, other)
