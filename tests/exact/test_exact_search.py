"""Searches that read originals find what a search of all of them would."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import minifloat as mf
from minifloat.scoring.exact import best as exact_best
from minifloat.scoring.exact import reading
from tests.exact.brute import assert_best, clustered, cosines, in_a_cone, kinds, reached
from tests.support.rows import DIMS, normal


@pytest.mark.parametrize("cone", [False, True])
def test_the_best_rows_of_originals_are_found_however_they_are_stored(
    format: mf.Format, cone: bool
) -> None:
    x = clustered(520, 48)
    x = in_a_cone(x) if cone else x
    queries = torch.cat([x[:6] + 0.1 * normal(6, 48, 3), normal(3, 48, 4), x[9:12]])
    for rows in kinds(x, format):
        for k in (1, 10):
            found = mf.search(queries, rows, k, originals=x, return_stats=True)
            assert_best(found, queries, x, None)
            assert bool((found[2].rows >= k).all())


@pytest.mark.gpu
def test_every_backend_proves_its_answers(backend: str) -> None:
    x = clustered(520, 33)
    queries = normal(7, 33, 5)
    # Each kind in one format, for Triton's interpreter takes seconds.
    for format, first in ((mf.E2M1, 0), (mf.E4M3, 2)):
        for rows in kinds(x, format)[first::4]:
            assert_best(mf.search(queries, rows, 5, originals=x), queries, x, None)


@pytest.mark.gpu
def test_every_backend_finds_what_reaches_a_threshold_and_reads_what_it_is_told(
    backend: str,
) -> None:
    x, mask = clustered(520, 33), torch.arange(520) % 3 > 0
    queries = torch.cat([normal(3, 33, 5), x[9:11]])
    exact = cosines(queries, x).float()
    for format, kind in ((mf.E2M1, 1), (mf.E4M3, 2)):
        rows = kinds(x, format)[kind]
        found = mf.range_search(queries, rows, 0.4, originals=x, mask=mask)
        wanted = ((exact >= 0.4) & mask).nonzero()
        assert found.rows.tolist() == wanted[:, 1].tolist()
        assert found.offsets.diff().tolist() == wanted[:, 0].bincount(minlength=5).tolist()
        _, listed = mf.search(queries, rows, 30)
        _, numbers = mf.search(queries, rows, 8, originals=x, rescore=30)
        for i in range(5):
            order = sorted(listed[i].tolist(), key=lambda row: (-float(exact[i, row]), row))
            assert numbers[i].tolist() == order[:8]


@pytest.mark.parametrize("dim", DIMS)
def test_rows_of_any_dim_are_found(dim: int) -> None:
    x, queries = clustered(150, dim), normal(5, dim, 5)
    frame = mf.Frame.fit(x)
    for format in (mf.E2M1, mf.E2M3, mf.E3M4, mf.E4M3):
        for rows in (
            mf.quantize(x, format, errors=True),
            mf.quantize(x, format, frame=frame, errors=True),
        ):
            assert_best(mf.search(queries, rows, 9, originals=x), queries, x, None)


def test_only_rows_that_take_part_are_found() -> None:
    x, queries = clustered(500, 24), normal(6, 24, 5)
    rows = mf.quantize(x, "e2m3", errors=True)
    mask = torch.arange(500) % 3 > 0
    inside = torch.zeros(500, dtype=torch.bool)
    inside[20:100] = inside[300:470] = True
    ranges = [(20, 100), (300, 470)]
    for chosen, taking_part in (
        ({"mask": mask}, mask),
        ({"ranges": ranges}, inside),
        ({"mask": mask, "ranges": ranges}, mask & inside),
        ({"ranges": [(7, 12)]}, torch.isin(torch.arange(500), torch.arange(7, 12))),
    ):
        found = mf.search(queries, rows, 5, originals=x, **chosen)
        assert_best(found, queries, x, taking_part)


def test_all_rows_may_be_asked_for(integer_format: mf.Format) -> None:
    x, queries = clustered(60, 24), normal(3, 24, 5)
    rows = mf.quantize(x, integer_format, errors=True)
    for k in (1, 59, 60):
        assert_best(mf.search(queries, rows, k, originals=x), queries, x, None)


def test_ties_go_to_the_lower_row_and_zero_queries_find_the_first() -> None:
    x = normal(3, 24)[torch.arange(300) % 3]
    rows = mf.quantize(x, "e2m1", errors=True)
    found, numbers = mf.search(x[1:2], rows, 40, originals=x)
    assert numbers.tolist() == [list(range(1, 120, 3))]
    assert len(found.unique()) == 1
    x = normal(3000, 24)
    frame = mf.Frame.fit(x)
    for given in (None, frame):
        rows = mf.quantize(x, "e2m1", frame=given, errors=True)
        mask = torch.arange(3000) >= 17
        scores, numbers, read = mf.search(
            torch.zeros(2, 24), rows, 5, originals=x, mask=mask, return_stats=True
        )
        assert numbers.tolist() == [list(range(17, 22))] * 2
        assert scores.tolist() == [[0.0] * 5] * 2
        assert int(read.rows.max()) < 300


def test_cosines_that_are_one_float32_go_to_the_lower_row_whichever_is_larger() -> None:
    query = normal(1, 24, 5).double()
    x = normal(400, 24).double()
    # The later of two is nearer, by less than a float32 tells.
    for lower, upper in ((3, 300), (7, 8), (100, 399)):
        x[lower] = query + 1e-2 * lower * x[lower]
        x[upper] = x[lower] + 1e-9 * (query - x[lower])
    exact = cosines(query, x)[0]
    assert bool((exact[[300, 8, 399]] >= exact[[3, 7, 100]]).all())
    for rows in kinds(torch.cat([x, normal(200, 24, 1).double()]), mf.E2M1)[:5]:
        _, numbers = mf.search(query, rows[:400], 6, originals=x)
        assert numbers.tolist() == [[3, 300, 7, 8, 100, 399]]
        _, first = mf.search(query, rows[:400], 3, originals=x)
        assert first.tolist() == [[3, 300, 7]]


def test_a_second_pass_finds_what_the_first_has_not_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exact_best, "_LISTED", 2)
    monkeypatch.setattr(exact_best, "_MORE_LISTED", 0)
    monkeypatch.setattr(reading, "_MOST_QUERIES", 4)
    monkeypatch.setattr(reading, "_AT_ONCE", 777)
    monkeypatch.setattr(exact_best, "_TOGETHER", 9)
    x, queries = normal(2000, 64), normal(25, 64, 5)
    for rows in kinds(x, mf.E2M1):
        found = mf.search(queries, rows, 10, originals=x, return_stats=True)
        assert_best(found, queries, x, None)
        assert found[2].passes == 2
        assert int(found[2].rows.max()) < 2000


def test_few_originals_are_read_and_told() -> None:
    x = clustered(3000, 64)
    queries = normal(11, 64, 5)
    rows = mf.quantize(x, "e3m4", errors=True)
    _, _, read = mf.search(queries, rows, 10, originals=x, return_stats=True)
    assert read.passes == 1
    assert read.rows.shape == (11,)
    assert 20 <= int(read.rows.min()) <= int(read.rows.max()) < 60
    assert 0 < read.bytes <= int(read.rows.sum()) * 256
    _, numbers, read = mf.search(queries, rows, 10, originals=x, rescore=37, return_stats=True)
    assert read.rows.tolist() == [37] * 11
    assert read.passes == 1
    assert numbers.shape == (11, 10)


def test_rescoring_orders_the_rows_with_the_best_scores_and_needs_no_errors() -> None:
    x, queries = clustered(500, 32), normal(6, 32, 5)
    rows = mf.quantize(x, "e2m1")
    _, listed = mf.search(queries, rows, 30)
    scores, numbers = mf.search(queries, rows, 8, originals=x, rescore=30)
    exact = cosines(queries, x).float()
    for i in range(6):
        order = sorted(listed[i].tolist(), key=lambda row: (-float(exact[i, row]), row))[:8]
        assert numbers[i].tolist() == order
        torch.testing.assert_close(scores[i], exact[i, order], rtol=0, atol=6e-8)


@pytest.mark.parametrize("threshold", [-0.5, 0.3, 0.8])
def test_all_rows_whose_originals_reach_a_threshold_are_found(
    threshold: float, format: mf.Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = clustered(520, 48)
    queries = torch.cat([x[:70], normal(3, 48, 5)])
    for rows in kinds(x, format)[::2]:
        found = mf.range_search(queries, rows, threshold, originals=x)
        parts = np.split(found.rows.numpy(), found.offsets.numpy()[1:-1])
        for part, wanted in zip(parts, reached(queries, x, threshold), strict=True):
            assert part.tolist() == wanted.tolist()
        query = torch.arange(73).repeat_interleave(found.offsets.diff())
        exact = cosines(queries, x)[query, found.rows].float()
        torch.testing.assert_close(found.scores, exact, rtol=0, atol=6e-8)
    monkeypatch.setattr(reading, "_AT_ONCE", 1000)
    monkeypatch.setattr(reading, "_GATHERED", 520 * 7)
    again = mf.range_search(queries, rows, threshold, originals=x)
    assert all(map(torch.equal, again, found))
    count = len(found.rows)
    message = f"^more than limit={count - 1} rows reach"
    with pytest.raises(ValueError, match=message):
        mf.range_search(queries, rows, threshold, originals=x, limit=count - 1)


def originals_of(x: torch.Tensor, folder: Path) -> list[Any]:
    """The same rows, wherever they can be."""
    np.save(folder / "x.npy", x.numpy())
    mapped = np.load(folder / "x.npy", mmap_mode="r")
    wide = torch.empty(len(x), 2 * x.shape[1])
    wide[:, 3 : 3 + x.shape[1]] = x
    save_file({"x": x}, folder / "x.safetensors")
    file = safe_open(folder / "x.safetensors", "pt")
    return [
        x,
        x.numpy(),
        mapped,
        wide[:, 3 : 3 + x.shape[1]],
        x.T.contiguous().T,
        x.double(),
        x.tolist(),
        file.get_slice("x"),
        safe_open(folder / "x.safetensors", "np").get_slice("x"),
    ]


def test_originals_may_be_anywhere(tmp_path: Path) -> None:
    x, queries = clustered(700, 20), normal(9, 20, 5)
    rows = mf.quantize(x, "e2m1", errors=True)
    scores, numbers = mf.search(queries, rows, 10, originals=x)
    for given in originals_of(x, tmp_path):
        found = mf.search(queries, rows, 10, originals=given)
        assert torch.equal(found[0], scores)
        assert torch.equal(found[1], numbers)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_originals_of_every_type_are_compared_as_they_are(dtype: torch.dtype) -> None:
    x = clustered(520, 24).to(dtype)
    size = {torch.float16: 2.0**5, torch.float64: 2.0**700}.get(dtype, 2.0**90)
    x = torch.cat([x, x[:50] * size, x[:50] / size])
    queries = x[:8] + x[20:28]
    for rows in kinds(x, mf.E2M3)[:3]:
        assert_best(mf.search(queries, rows, 9, originals=x), queries, x, None)


def test_answers_are_of_the_kind_of_queries() -> None:
    x = clustered(300, 24)
    rows = mf.quantize(x, "e2m1", errors=True)
    scores, numbers = mf.search(x[:3].numpy(), rows, 4, originals=x)
    assert (type(scores), type(numbers)) == (np.ndarray, np.ndarray)
    tensors = mf.search(x[:3], rows, 4, originals=x)
    for found, wanted in zip((scores, numbers), tensors, strict=True):
        np.testing.assert_array_equal(found, wanted)
    none = mf.search(x[:0], rows, 4, originals=x)
    assert [tuple(part.shape) for part in none] == [(0, 4), (0, 4)]
