import numpy as np
import pytest
import torch

import minifloat as mf
from minifloat.backends import eager, implementation
from minifloat.ops import arguments
from minifloat.ops.products import Best
from minifloat.ops.rows import Selection
from minifloat.scoring.queries import sides_of
from tests.support.rows import normal
from tests.support.searches import assert_is_sorted_scores, tied, with_nan
from tests.support.sets import TRIED

pytestmark = pytest.mark.gpu


def test_search_is_a_stable_sort_of_the_scores(
    format: mf.Format, backend: str, in_any_order: bool
) -> None:
    if in_any_order:
        pytest.skip("this backend promises no order of sums of floats")
    database = tied(format, 300)
    for queries in (normal(5, 9), mf.quantize(normal(5, 9), format)):
        for k in (1, 2, 7, 64, 299, 300):
            assert_is_sorted_scores(queries, database, k)


def test_any_number_of_queries_is_searched(
    format: mf.Format, backend: str, in_any_order: bool
) -> None:
    if in_any_order:
        pytest.skip("this backend promises no order of sums of floats")
    database = tied(format, 150)
    for count in (0, 1, 65, 130):
        assert_is_sorted_scores(normal(count, 9), database, 10)
        assert_is_sorted_scores(mf.quantize(normal(count, 9), format), database, 10)


def test_any_number_of_rows_is_searched(integer_format: mf.Format, backend: str) -> None:
    queries = normal(3, 9)
    for rows in (1, 2, 63, 64, 65, 127, 128, 129):
        for k in {1, rows}:
            assert_is_sorted_scores(queries, tied(integer_format, rows), k)


def test_a_last_query_scores_as_the_others_do(format: mf.Format) -> None:
    # So many are laid out for the kernels at once, and one more.
    rows = tied(format, 4097, 33)
    assert_is_sorted_scores(rows, rows[:50], 50)
    best, found = mf.search(rows, rows, 3)
    assert torch.equal(best, mf.scores(rows, rows).gather(1, found))


def test_equal_scores_go_to_the_lower_row(format: mf.Format, backend: str) -> None:
    database = mf.quantize(torch.ones(200, 9), format)
    best, rows = mf.search(database[:2], database, 130)
    assert rows.tolist() == [list(range(130))] * 2
    assert len(best.unique()) == 1


def parallel(format: mf.Format, dim: int) -> mf.PackedVectors:
    """Rows in one direction or against it, of several lengths: all scores are 1 or -1."""
    base = torch.randint(0, 3, (dim,), generator=torch.Generator().manual_seed(dim)) - 1.0
    base[0] = 1.0
    times = torch.tensor([1, 2, 3, 4, -2, -1, -3, -4, 3, 1]).repeat(4)
    return mf.quantize(base * times[:, None] / 2, format, scale="none")


def test_scores_are_cosines_and_ties_that_this_makes_go_to_the_lower_row(
    format: mf.Format, backend: str
) -> None:
    beyond = 0
    for dim in (3, 7, 64):
        rows = parallel(format, dim)
        norms = rows.reciprocal_norms
        squares = rows.dequantize().double().square().sum(1).float()
        beyond += int((squares * norms * norms > 1).sum())
        pairs = torch.cartesian_prod(torch.arange(40), torch.arange(40))
        for queries in (rows, rows.dequantize()):
            assert mf.scores(queries, rows).abs().max() <= 1
            assert mf.scores(queries, rows, pairs=pairs).abs().max() <= 1
        if format.lane != "float":
            assert_is_sorted_scores(rows[:3], rows, 7)
            assert_is_sorted_scores(rows, rows, 40)
    # Or rounding would have nothing to spoil.
    assert beyond > 0


def test_nan_goes_last(format: mf.Format, backend: str, in_any_order: bool) -> None:
    if in_any_order:
        pytest.skip("this backend promises no order of sums of floats")
    bad = [0, 5, 64, 149]
    database = with_nan(tied(format, 150), bad)
    good = torch.tensor([row for row in range(150) if row not in bad])
    for queries in (normal(4, 9), mf.quantize(normal(4, 9), format)):
        best, rows = mf.search(queries, database, 150)
        assert torch.all(rows[:, -4:] == torch.tensor(bad))
        assert torch.all(best[:, -4:].isnan())
        finite, numbers = mf.search(queries, database[good], 146)
        assert torch.equal(best[:, :-4], finite)
        assert torch.equal(rows[:, :-4], good[numbers])


def test_a_query_of_nan_gets_the_first_rows(integer_format: mf.Format, backend: str) -> None:
    queries = with_nan(tied(integer_format, 3), [1])
    best, rows = mf.search(queries, tied(integer_format, 150), 5)
    assert best.isnan().tolist() == [[False] * 5, [True] * 5, [False] * 5]
    assert rows[1].tolist() == [0, 1, 2, 3, 4]


def test_the_number_of_threads_changes_no_search(format: mf.Format, threads: None) -> None:
    database = with_nan(tied(format, 700), [3, 400])
    queries = mf.quantize(normal(70, 9), format)
    found = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        assert_is_sorted_scores(queries, database, 200)
        found.append(mf.search(queries, database, 700))
    for best, rows in found[1:]:
        assert torch.equal(best.nan_to_num(9), found[0][0].nan_to_num(9))
        assert torch.equal(rows, found[0][1])


def test_parts_of_a_database_are_searched_alike(integer_format: mf.Format, backend: str) -> None:
    database, queries = tied(integer_format, 200), normal(6, 9)
    whole = mf.search(queries, database, 20)
    for cut in (20, 64, 131):
        parts = [(first, database[first:last]) for first, last in ((0, cut), (cut, 200))]
        found = [(first, *mf.search(queries, part, 20)) for first, part in parts]
        best = torch.cat([scores for _, scores, _ in found], 1)
        rows = torch.cat([first + rows for first, _, rows in found], 1)
        order = best.sort(dim=1, descending=True, stable=True).indices[:, :20]
        assert torch.equal(best.gather(1, order), whole[0])
        assert torch.equal(rows.gather(1, order), whole[1])


def test_blocks_of_a_search_leave_no_trace(
    integer_format: mf.Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, queries = with_nan(tied(integer_format, 100), [2, 60]), tied(integer_format, 5)
    search = implementation("eager", "search")
    for k in (1, 30, 100):
        best, rows = mf.search(queries, database, k)
        asked = arguments(Best(sides_of(queries, database), Selection(), k))
        for block in (1, 7, 99, 100):
            monkeypatch.setattr(eager, "_SEARCH_BLOCK", block)
            found, numbers = search(*asked)
            assert torch.equal(found.nan_to_num(9), best.nan_to_num(9))
            assert torch.equal(numbers, rows)


def test_numpy_queries_get_numpy_answers(format: mf.Format, backend: str) -> None:
    database, queries = tied(format, 50), normal(3, 9)
    answer = mf.search(queries.numpy(), database, 4)
    for found, expected in zip(answer, mf.search(queries, database, 4), strict=True):
        assert isinstance(found, np.ndarray)
        np.testing.assert_array_equal(found, expected.numpy())


def test_search_goes_over_the_rows_that_a_mask_and_ranges_leave(
    integer_format: mf.Format, backend: str, threads: None
) -> None:
    # Only C++ shares the work out to threads.
    numbers = (1, 3) if backend in TRIED else (1,)
    database = with_nan(tied(integer_format, 300), [17, 130])
    mask = torch.rand(300, generator=torch.Generator().manual_seed(1)) < 0.4
    mask[64:128] = False
    some = [(0, 3), (3, 3), (10, 90), (120, 131), (131, 300)]
    inside = torch.zeros(300, dtype=torch.bool)
    for begin, end in some:
        inside[begin:end] = True
    for count in (1, 5, 70):
        queries = normal(count, 9)
        scores = mf.scores(queries, database).numpy()
        keys = np.where(np.isnan(scores), np.inf, -scores)
        for chosen, options in (
            (mask, {"mask": mask}),
            (inside, {"ranges": some}),
            (mask & inside, {"mask": mask.numpy(), "ranges": np.array(some)}),
        ):
            left = chosen.nonzero().squeeze(1).numpy()
            for k in (1, 10, len(left)):
                order = left[keys[:, left].argsort(1, kind="stable")[:, :k]]
                for number in numbers:
                    torch.set_num_threads(number)
                    best, rows = mf.search(queries, database, k, **options)
                    np.testing.assert_array_equal(rows.numpy(), order)
                    expected = np.take_along_axis(scores, order, 1)
                    np.testing.assert_array_equal(best.numpy(), expected)
