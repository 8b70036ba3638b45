"""What only a GPU can show: devices, streams, graphs, memory. The behaviour tests run there too."""

from typing import Any

import pytest
import torch
from torch import Tensor

import minifloat as mf
from minifloat.ops import OPERATORS as ALL
from minifloat.scoring import streamed
from tests.support.arguments import OPS, THAT_WAIT, arguments, outputs
from tests.support.on_gpu import nothing_waits
from tests.support.rows import DIM, normal

_NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here")
pytestmark = [pytest.mark.gpu, _NEEDS_GPU, pytest.mark.usefixtures("gpu_backend")]

OPERATORS = pytest.mark.parametrize("operator", [operator.name for operator in ALL])
# All but those that refuse rows by their values, and that whose answer has as many rows as there
# are.
THAT_DO_NOT_WAIT = pytest.mark.parametrize(
    "operator", [operator.name for operator in ALL if operator.name not in THAT_WAIT]
)
FORMATS = pytest.mark.parametrize("name", ["e4m3", "e3m4", "e3m2", "e2m1"])

# Clock cycles, some tens of milliseconds, for which a stream is kept busy.
DELAY = 100_000_000


def there(sample: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(x.detach().cuda() if isinstance(x, Tensor) else x for x in sample)


def assert_same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)


def database(rows: int, dim: int = DIM, name: str = "e2m1", seed: int = 0) -> mf.PackedVectors:
    return mf.quantize(normal(rows, dim, seed), name)


@OPERATORS
@FORMATS
def test_operators_pass_opcheck(operator: str, name: str) -> None:
    for sample in arguments(operator, mf.formats.as_format(name)):
        torch.library.opcheck(getattr(OPS, operator).default, there(sample))


@THAT_DO_NOT_WAIT
@FORMATS
def test_no_other_operator_waits_for_the_device(operator: str, name: str) -> None:
    for sample in arguments(operator, mf.formats.as_format(name)):
        moved = there(sample)
        # What a kernel costs once, its compilation, may wait.
        outputs(operator, moved)
        torch.cuda.synchronize()
        with nothing_waits():
            outputs(operator, moved)


@THAT_DO_NOT_WAIT
@FORMATS
def test_a_graph_captures_every_operator_that_does_not_wait(operator: str, name: str) -> None:
    for sample in arguments(operator, mf.formats.as_format(name)):
        moved = there(sample)
        expected = [t.clone() for t in outputs(operator, moved)]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            found = outputs(operator, moved)
        for t in found:
            t.zero_()
        graph.replay()
        for ours, theirs in zip(found, expected, strict=True):
            assert_same(ours, theirs)


@OPERATORS
def test_operators_run_on_the_current_stream(operator: str) -> None:
    for sample in arguments(operator, mf.E2M3):
        moved = there(sample)
        expected = [t.clone() for t in outputs(operator, moved)]
        late = tuple(torch.zeros_like(x) if isinstance(x, Tensor) else x for x in moved)
        torch.cuda.synchronize()
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            # Arguments arrive late: on any other stream zeros would be read.
            torch.cuda._sleep(DELAY)
            for x, y in zip(late, moved, strict=True):
                if isinstance(x, Tensor):
                    x.copy_(y)
            found = outputs(operator, late)
        stream.synchronize()
        for ours, theirs in zip(found, expected, strict=True):
            assert_same(ours, theirs)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="there is one GPU")
@OPERATORS
def test_operators_run_on_the_device_of_their_tensors(operator: str) -> None:
    for sample in arguments(operator, mf.E2M3):
        moved = there(sample)
        second = tuple(x.to("cuda:1") if isinstance(x, Tensor) else x for x in moved)
        for ours, theirs in zip(outputs(operator, second), outputs(operator, moved), strict=True):
            assert ours.device == torch.device("cuda:1")
            assert_same(ours.cpu(), theirs.cpu())


@FORMATS
def test_search_and_scores_give_the_cpus_answers(name: str) -> None:
    rows, queries = database(3000, 192, name), database(70, 192, name, seed=1)
    moved = rows.to("cuda")
    tolerance = 0.0 if mf.formats.as_format(name).lane != "float" else 2 * (192 + 5) * 2.0**-24
    for ours, theirs in ((queries, queries.to("cuda")), (normal(70, 192), normal(70, 192).cuda())):
        expected = mf.scores(ours, rows)
        found = mf.scores(theirs, moved)
        assert found.device.type == "cuda"
        torch.testing.assert_close(found.cpu(), expected, rtol=0, atol=tolerance)
        for k in (1, 10, 300):
            best, indices = mf.search(theirs, moved, k)
            wanted, wanted_indices = mf.search(ours, rows, k)
            torch.testing.assert_close(best.cpu(), wanted, rtol=0, atol=tolerance)
            if not tolerance:
                assert_same(indices.cpu(), wanted_indices)


def test_float_queries_do_not_wait_and_score_nan_where_they_are_not_finite() -> None:
    rows = database(100).to("cuda")
    queries = normal(3).cuda()
    queries[1, 4] = torch.nan
    queries[2, 0] = torch.inf
    mf.search(queries, rows, 5)
    torch.cuda.synchronize()
    with nothing_waits():
        scores, indices = mf.search(queries, rows, 5)
    assert not scores[0].isnan().any()
    assert scores[1:].isnan().all()
    assert indices[1:].tolist() == [[0, 1, 2, 3, 4]] * 2


def test_quantize_on_the_gpu_gives_the_cpus_codes_and_refuses_what_is_not_finite() -> None:
    x = normal(1000, 192)
    for format in mf.FORMATS:
        ours, theirs = mf.quantize(x.cuda(), format), mf.quantize(x, format)
        assert_same(ours.codes.cpu(), theirs.codes)
        assert_same(ours.reciprocal_norms.cpu(), theirs.reciprocal_norms)
    x[700, 3] = torch.nan
    with pytest.raises(ValueError, match="row 700 of x holds NaN or infinity"):
        mf.quantize(x.cuda(), "e2m1")


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "pageable"])
def test_a_database_in_main_memory_is_searched_block_by_block(
    monkeypatch: pytest.MonkeyPatch, *, pinned: bool
) -> None:
    rows, queries = database(5000, 192), database(9, 192, seed=1).to("cuda")
    monkeypatch.setattr(streamed, "BLOCK_BYTES", 300 * mf.E2M1.row_bytes(192))
    mask = torch.arange(5000) % 7 > 0
    expected = mf.search(queries, rows.to("cuda"), 20, mask=mask.cuda())
    host = rows.pin_memory() if pinned else rows
    for _ in range(5):
        found = mf.search(queries, host, 20, mask=mask)
        for ours, theirs in zip(found, expected, strict=True):
            assert_same(ours, theirs)


def test_rows_past_2_to_31_bytes_are_found() -> None:
    dim, rows = 64, 2**26 + 1000
    queries = database(3, dim).to("cuda")
    codes = torch.zeros(rows, mf.E2M1.row_bytes(dim), dtype=torch.uint8, device="cuda")
    norms = torch.zeros(rows, device="cuda")
    at = [5, 2**26 + 1, rows - 1]
    codes[at], norms[at] = queries.codes, queries.reciprocal_norms
    _, indices = mf.search(queries, mf.PackedVectors(codes, norms, mf.E2M1, dim), 1)
    assert indices.flatten().tolist() == at


def test_more_queries_than_a_grid_has_blocks_along_another_axis_are_scored_and_searched() -> None:
    # A block has at most 128 queries of E2M3, and an axis but the first 65535 blocks.
    rows, few = database(5, 8, "e2m3"), database(7, 8, "e2m3", seed=1)
    numbers = torch.arange(128 * 65535 + 1, device="cuda") % 7
    moved, many = rows.to("cuda"), few.to("cuda")[numbers]
    assert_same(mf.scores(many, moved), mf.scores(few, rows).cuda()[numbers])
    wanted = [t.cuda()[numbers] for t in mf.search(few, rows, 2)]
    for ours, theirs in zip(mf.search(many, moved, 2), wanted, strict=True):
        assert_same(ours, theirs)


def test_a_search_needs_memory_for_its_answers_only() -> None:
    rows, queries = database(200_000, 192).to("cuda"), database(1000, 192, seed=1).to("cuda")
    mf.search(queries, rows, 10)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    mf.search(queries, rows, 10)
    used = torch.cuda.max_memory_allocated() - before
    # Matches are kept by multiprocessor, whatever the rows: two warpgroups' with 128 keys of 8
    # bytes for each of 256 queries are half a MiB, and 160 multiprocessors' are 84 MB.
    matrix = 4 * len(queries) * len(rows)
    assert used < matrix // 8


def test_what_does_not_fit_is_named() -> None:
    rows = database(1 << 20, 16).to("cuda")
    free = torch.cuda.mem_get_info()[0]
    needed = 4 * len(rows) ** 2
    assert needed > free
    with pytest.raises(
        torch.OutOfMemoryError, match=r"scores\(uint8 \(1048576, 8\).* does not fit"
    ):
        mf.scores(rows, rows)
