"""Rows in frames, float queries and range searches on a GPU: as on the CPU, in every way."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import minifloat as mf
from minifloat.scoring.reaching import by_score
from tests.support.on_gpu import nothing_waits
from tests.support.rows import normal, of_any_size

_NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here")
pytestmark = [pytest.mark.gpu, _NEEDS_GPU]

DEVICE = "cuda"
INTEGERS = [mf.E3M4, mf.E3M2, mf.E2M3, mf.E2M1]


@pytest.fixture(params=["new ways", "old ways"], autouse=True)
def ways(request: pytest.FixtureRequest, gpu_backend: str) -> Iterator[str]:
    """The ways in which the CUDA backend goes; others have one."""
    name: str = request.param
    if gpu_backend != "cuda":
        if name == "old ways":
            pytest.skip("ways are of CUDA's kernels")
        yield name
        return
    from minifloat import _cuda

    _cuda.ways().prepares_at_once = _cuda.ways().appends_hits = name == "new ways"
    yield name
    _cuda.ways().prepares_at_once = _cuda.ways().appends_hits = True


def assert_same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found.cpu(), expected, rtol=0, atol=0, equal_nan=True)


def database(format: mf.Format, *, framed: bool) -> tuple[Tensor, mf.PackedVectors]:
    x = normal(3000, 192) + normal(1, 192, 5)
    return x, mf.quantize(x, format, frame=mf.Frame.fit(x, 2) if framed else None)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_rows_in_a_frame_have_the_cpus_bits(dtype: torch.dtype) -> None:
    for dim in (1, 17, 48, 250, 256, 1000):
        x = of_any_size(dim, dtype)
        frame = mf.Frame.fit(x[9:].double(), min(2, dim))
        for ours, theirs in zip(frame.project(x.to(DEVICE)), frame.project(x), strict=True):
            assert_same(ours, theirs)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_float_queries_have_the_cpus_elements(format: mf.Format, dtype: torch.dtype) -> None:
    for dim in (1, 17, 256, 1000):
        x = of_any_size(dim, dtype)
        elements, norms = torch.ops.minifloat.to_lane(x.to(DEVICE), format.name)
        expected = torch.ops.minifloat.to_lane(x, format.name)
        assert_same(elements, expected[0])
        torch.testing.assert_close(norms.cpu(), expected[1], rtol=2.0**-23, atol=0)


@pytest.mark.parametrize("framed", [True, False], ids=["framed", "plain"])
def test_float_queries_do_not_wait(format: mf.Format, framed: bool) -> None:
    x, rows = database(format, framed=framed)
    there, queries = rows.to(DEVICE), x[:3].to(DEVICE)
    queries[1, 4] = torch.nan
    mf.search(queries, there, 5)
    torch.cuda.synchronize()
    with nothing_waits():
        scores, found = mf.search(queries, there, 5)
    assert scores[1].isnan().all()
    assert found[1].tolist() == [0, 1, 2, 3, 4]
    assert not scores[::2].isnan().any()


@pytest.mark.parametrize("framed", [True, False], ids=["framed", "plain"])
@pytest.mark.parametrize("format", INTEGERS, ids=str)
def test_range_searches_give_the_cpus_answers(format: mf.Format, framed: bool) -> None:
    x, rows = database(format, framed=framed)
    there, mask = rows.to(DEVICE), torch.arange(3000) % 3 > 0
    for queries in (x[:1], x[:20], x[:300], rows[:300]):
        scores = mf.scores(queries, rows)
        ours = queries.to(DEVICE)
        for threshold in (float(scores[0, 7]), 0.9, -2.0):
            ranges = [(5, 40), (900, 2990)]
            on_gpu = mask.to(DEVICE)
            found = mf.range_search(ours, there, threshold, mask=on_gpu, ranges=ranges)
            expected = mf.range_search(queries, rows, threshold, mask=mask, ranges=ranges)
            for part, wanted in zip(found, expected, strict=True):
                assert_same(part, wanted)
    for part, wanted in zip(by_score(found), by_score(expected), strict=True):
        assert_same(part, wanted)


@pytest.mark.parametrize("format", INTEGERS, ids=str)
def test_all_pairs_are_those_of_the_cpu(format: mf.Format) -> None:
    _, rows = database(format, framed=False)
    found = [torch.cat(parts) for parts in zip(*mf.pairs_above(rows.to(DEVICE), 0.7), strict=True)]
    expected = [torch.cat(parts) for parts in zip(*mf.pairs_above(rows, 0.7), strict=True)]
    for part, wanted in zip(found, expected, strict=True):
        assert_same(part, wanted)


def test_a_range_search_needs_memory_for_its_hits_only(gpu_backend: str, ways: str) -> None:
    if (gpu_backend, ways) != ("cuda", "new ways"):
        pytest.skip("blocks of scores are larger")
    rows = mf.quantize(normal(200_000, 192), "e2m1").to(DEVICE)
    queries = rows[:1000]
    mf.range_search(queries, rows, 0.9)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    mf.range_search(queries, rows, 0.9)
    # A list of 2^20 hits, queries and their answers.
    assert torch.cuda.max_memory_allocated() - before < 20 << 20
