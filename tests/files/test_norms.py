"""Norms that files hold: those that no rows have, and files where nothing else proves the codes."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.backends import implementation
from minifloat.files import norms
from tests.files.rewritten import DIM, ROWS, refused, rewrite, without_checksums
from tests.support.rows import assert_equal, random_rows


@pytest.mark.parametrize("mmap", [True, False])
def test_norms_that_no_rows_have_are_refused(format: mf.Format, mmap: bool, path: Path) -> None:
    least = np.nextafter(np.float32(1 / (format.max * 3)), np.float32(0))
    largest = 1 / format.smallest_subnormal
    zero = "0" if format.specials == "none" else "0, NaN"
    allowed = f"for dim 9 in {format} it must be {zero} or from {least:.6g} to {largest:g}"
    wrong = [1e30, -1.0, -0.0, torch.inf, -torch.inf, 1.01 * largest, 0.99 * float(least), 1e-40]
    for number in [*wrong, *([torch.nan] if format.specials == "none" else [])]:

        def spoil(tensors: dict[str, torch.Tensor], _: Any, number: float = number) -> None:
            tensors["reciprocal_norms"][17] = number

        random_rows(format, ROWS, 9).save(path)
        rewrite(path, spoil)
        given = f"{torch.tensor(number).item():g}"
        message = f"{path} is damaged: row 17 has reciprocal norm {given}; {allowed}"
        refused(lambda: mf.PackedVectors.load(path, mmap=mmap), message)
        without_checksums(path)
        refused(lambda: mf.PackedVectors.load(path, mmap=mmap), message)


def test_norms_that_no_rows_have_are_not_saved(path: Path) -> None:
    rows = random_rows(mf.E2M1, 3, DIM)
    rows.reciprocal_norms[1] = -1
    allowed = "for dim 9 in e2m1 it must be 0 or from 0.0555556 to 2"
    refused(
        lambda: rows.save(path),
        f"{path} cannot be written: row 1 has reciprocal norm -1; {allowed}",
    )
    assert not path.exists()


def test_the_longest_and_the_shortest_rows_are_loaded(format: mf.Format, path: Path) -> None:
    for dim in (1, 2, 3, 9, 192, 511):
        x = torch.zeros(4, dim)
        x[0], x[1, 0], x[2] = format.max, format.smallest_subnormal, -format.max
        saved = mf.quantize(x, format, scale="none")
        saved.save(path)
        assert_equal(mf.PackedVectors.load(path, verify=True), saved)


def test_a_norm_far_from_the_first_is_looked_at(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(norms, "_CHUNK", 16)
    x = torch.ones(ROWS, DIM)
    x[::5] = 0
    saved = mf.quantize(x, mf.E4M3)
    saved.save(path)
    assert_equal(mf.PackedVectors.load(path), saved)

    def spoil(tensors: dict[str, torch.Tensor], _: Any) -> None:
        tensors["reciprocal_norms"][[20, 33, 39]] = torch.tensor([torch.nan, -2.0, -1.0])

    rewrite(path, spoil)
    with pytest.raises(ValueError, match=" is damaged: row 33 has reciprocal norm -2; "):
        mf.PackedVectors.load(path)


def test_files_without_checksums_are_loaded_and_proven_as_far_as_norms_go(
    format: mf.Format, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(norms, "_CHUNK_BYTES", 64)
    saved = random_rows(format, ROWS, DIM)
    saved.save(path)
    without_checksums(path)
    assert_equal(mf.PackedVectors.load(path), saved)
    assert mf.PackedVectors.verify(path) is False
    warning = (
        f"{path} has no checksums: its reciprocal norms are those of its codes, but damage that "
        "keeps them, such as another sign, would not be seen; save it anew"
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(warning)}$") as caught:
        assert_equal(mf.PackedVectors.load(path, verify=True), saved)
    assert caught[0].filename == __file__

    def spoil(tensors: dict[str, torch.Tensor], _: Any) -> None:
        tensors["reciprocal_norms"][[21, 30]] *= 1 - 2**-20

    rewrite(path, spoil)
    norm = saved.reciprocal_norms[21] * (1 - 2**-20)
    message = (
        f"{path} is damaged: row 21 has reciprocal norm {norm:g}, which is not that of its codes"
    )
    assert len(mf.PackedVectors.load(path)) == ROWS
    refused(lambda: mf.PackedVectors.verify(path), message)
    refused(lambda: mf.PackedVectors.load(path, verify=True), message)


def test_norms_of_any_backend_are_those_of_the_codes(format: mf.Format) -> None:
    """Exactly where sums of squares are integers, else to the last bit."""
    codes = random_rows(format, 500, 511).codes
    found = implementation("eager", "reciprocal_norms")(codes, format.name, 511)
    assert norms.first_wrong(codes, found, format, 511) is None
    found.view(torch.int32)[77] += 3 if format.lane == "float" else 1
    assert norms.first_wrong(codes, found, format, 511) == 77
