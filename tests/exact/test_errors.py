"""The angles by which rounding turned rows, each kept in a byte."""

import copy
import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.angles import ANGLES, CHORDS
from tests.support.rows import DIMS, normal


def angles(rows: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The angles between rows and values in float64, radians."""
    a, b = (side.double() / side.double().norm(dim=1, keepdim=True) for side in (rows, values))
    found: torch.Tensor = 2 * ((a - b).norm(dim=1) / 2).asin()
    return found


def decoded(rows: mf.PackedVectors) -> torch.Tensor:
    codes = mf.unpack(rows.codes, rows.format, rows.dim)
    return mf.decode(codes, rows.format)


def test_bytes_tell_angles_from_none_to_a_right_one() -> None:
    assert ANGLES[0] == 0
    assert ANGLES[255] == math.pi / 2
    assert bool((ANGLES.diff() > 0).all())
    assert len(CHORDS) == 255


@pytest.mark.parametrize("dim", DIMS)
def test_an_error_is_the_next_larger_angle(format: mf.Format, dim: int) -> None:
    x = normal(30, dim)
    for scale in ("amax", "cosine"):
        rows = mf.quantize(x, format, scale=scale, errors=True)
        assert rows.errors is not None
        turned, places = angles(x, decoded(rows)), rows.errors.long()
        assert bool((turned <= ANGLES[places] + 1e-12).all())
        finer = places > 0
        assert bool((turned[finer] > ANGLES[places[finer] - 1] - 1e-12).all())


def test_errors_are_of_what_is_left_in_a_frame(format: mf.Format) -> None:
    x = normal(600, 48) + 1
    frame = mf.Frame.fit(x, 2, feedback="force")
    rest, _, _ = frame.project(x)
    means = []
    for rounding in ("nearest", "feedback"):
        rows = mf.quantize(x, format, frame=frame, rounding=rounding, errors=True)
        assert rows.errors is not None
        turned = angles(rest, decoded(rows))
        assert bool((turned <= ANGLES[rows.errors.long()] + 1e-6).all())
        means.append(float(turned.mean()))
    assert means[0] < means[1]


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_errors_are_those_of_the_rows_in_their_own_type(dtype: torch.dtype, backend: str) -> None:
    x = normal(40, 33).to(dtype)
    # Squares of these are no numbers of their type.
    sizes = {torch.float16: 2.0**8, torch.float64: 2.0**900}.get(dtype, 2.0**100)
    x = torch.cat([x, x * sizes, x / sizes])
    for format in (mf.E2M1, mf.E4M3):
        rows = mf.quantize(x, format, errors=True)
        assert rows.errors is not None
        turned = angles(x.double() / x.double().abs().amax(1, keepdim=True), decoded(rows))
        assert bool((turned <= ANGLES[rows.errors.long()] + 1e-12).all())
        assert float(ANGLES[rows.errors.long()].mean()) < float(turned.mean()) + 0.004


@pytest.mark.gpu
def test_rows_that_rounding_leaves_have_no_error_and_those_without_codes_the_last(
    backend: str,
) -> None:
    x = torch.tensor([[0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [1e-9, 0.0, 2e-9], [-1.0, 1.0, 1.0]])
    rows = mf.quantize(x, "e2m1", scale="none", errors=True)
    assert rows.errors is not None
    assert rows.errors.tolist() == [0, 0, 255, 0]
    back = torch.ops.minifloat.angles(-x[3:], rows.codes[3:], "e2m1")
    assert back.tolist() == [255]


@pytest.mark.gpu
def test_strided_rows_have_the_errors_of_rows_in_one_piece(backend: str) -> None:
    x = normal(50, 40)
    for part in (x[::3], x[:, :17], x[:, ::2], x.T):
        strided = mf.quantize(part, "e2m3", errors=True)
        assert strided == mf.quantize(part.contiguous(), "e2m3", errors=True)


def framed() -> mf.PackedVectors:
    x = normal(60, 48) + 1
    return mf.quantize(x, "e2m1", frame=mf.Frame.fit(x, 2), errors=True)


@pytest.mark.parametrize(
    "rows", [framed(), mf.quantize(normal(60, 9), "e2m3", errors=True)], ids=["framed", "plain"]
)
def test_errors_go_wherever_rows_go(rows: mf.PackedVectors, tmp_path: Path) -> None:
    def errors_of(some: mf.PackedVectors) -> list[int]:
        assert some.errors is not None
        whole: list[int] = some.errors.tolist()
        return whole

    errors, path = errors_of(rows), tmp_path / "rows"
    assert errors_of(rows[5:9]) == errors[5:9]
    assert errors_of(rows[[3, -1]]) == [errors[3], errors[-1]]
    assert errors_of(mf.PackedVectors.cat([rows[:7], rows[7:]])) == errors
    assert errors_of(copy.deepcopy(rows)) == errors_of(pickle.loads(pickle.dumps(rows))) == errors
    for mmap in (True, False):
        rows.save(path)
        found = mf.PackedVectors.load(path, mmap=mmap, verify=True)
        assert found == rows
        assert errors_of(found) == errors
        # The size of a row in a file has the byte.
        found[1:4].save(path)
        assert mf.PackedVectors.load(path) == rows[1:4]
    other = copy.copy(rows)
    vars(other)["errors"] = None
    assert other != rows
    assert rows.nbytes == other.nbytes + 60


def test_a_file_with_a_damaged_error_is_found(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    mf.quantize(normal(60, 9), "e2m3", errors=True).save(path)
    damaged = bytearray(path.read_bytes())
    damaged[-3] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(
        ValueError, match=r"is damaged: the errors of rows 0 to 59 have another CRC"
    ):
        mf.PackedVectors.verify(path)


def changed(path: Path, change: dict[str, Any]) -> None:
    """Write a file's header anew, with another description of its errors."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    described = json.loads(content[8:start])
    described["errors"] |= change
    text = json.dumps(described).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[start:])


def test_errors_of_other_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    rows = mf.quantize(normal(60, 9), "e2m3", errors=True)
    for change, message in (
        ({"shape": [30, 2]}, r"must have errors of each of 60 rows, if any; got shape \(30, 2\)$"),
        ({"dtype": "I8"}, "must hold reciprocal_norms, codes, errors as F32, U8, U8; got F32, U8"),
    ):
        rows.save(path)
        changed(path, change)
        with pytest.raises(ValueError, match=message):
            mf.PackedVectors.load(path)
    state = rows.__getstate__()
    for wrong, message in (
        (np.zeros(60, np.uint8), "^errors must be a tensor; got ndarray$"),
        (torch.zeros(59, dtype=torch.uint8), r"^errors must be uint8 \(60,\) for rows; got"),
    ):
        with pytest.raises(ValueError, match=message):
            copy.copy(rows).__setstate__(state | {"errors": wrong})
