"""What ranks are made of: shares of rows, bytes of messages, and words of how far all are."""

import io
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minifloat.distributed import RankError, Ranks, open_shard
from minifloat.distributed.exchange.progress import Line, told
from minifloat.distributed.exchange.tensors import as_message, of_message
from minifloat.distributed.searching.ring import sources
from minifloat.distributed.shards.shares import bounds
from tests.support.launched import launched


@given(st.integers(0, 1 << 40), st.integers(1, 200))
def test_shares_are_all_rows_one_run_after_the_other_and_even(rows: int, ranks: int) -> None:
    found = bounds(rows, ranks)
    assert (found[0], found[-1], len(found)) == (0, rows, ranks + 1)
    sizes = [end - first for first, end in pairwise(found)]
    assert min(sizes) >= 0
    # Whole pages of files, where rows are so many that this is a small part of them.
    assert max(sizes) - min(sizes) <= (2 * 4096 if rows >= ranks * 16 * 4096 else 1)


@pytest.mark.parametrize("ranks", range(1, 12))
def test_each_two_ranks_meet_and_all_have_as_many_to_meet(ranks: int) -> None:
    of_each = [set(sources(rank, ranks)) for rank in range(ranks)]
    for a in range(ranks):
        for b in range(ranks):
            assert a in of_each[b] or b in of_each[a]
    assert {len(found) for found in of_each} == {ranks // 2 + 1}


def test_tensors_are_as_they_were_after_a_message() -> None:
    given = [
        torch.arange(5),
        None,
        torch.randn(3, 7),
        torch.empty(0, 4),
        torch.tensor([True, False, True]),
        torch.randn(2, 3).double().T,
        torch.randn(9).bfloat16(),
        torch.arange(7, dtype=torch.uint8),
    ]
    found = of_message(as_message(given))
    assert len(found) == len(given)
    for one, other in zip(given, found, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert torch.equal(one, other)


def test_one_line_says_how_far_all_ranks_are() -> None:
    done, total = torch.tensor([10_000, 2_500]), torch.tensor([10_000, 10_000])
    line = told("reading x", "B", done, total, 5.0)
    assert line == "reading x: 12.5 kB of 20 kB on 2 ranks, least rank 1 with 25 %, 3 s left"
    line = told("pairs", "rows", done[:1], total[:1], 5.0)
    assert line == "pairs: 10 k rows of 10 k rows on 1 rank"
    out = io.StringIO()
    line_of_all = Line("reading x", "B", out)
    line_of_all.show(done, total)
    # Where nobody watches there is a line now and then.
    assert out.getvalue() == ""


def test_one_process_is_all_ranks() -> None:
    ranks = Ranks()
    assert (ranks.rank, ranks.count, ranks.others()) == (0, 1, [])
    assert ranks.gather(b"x", "test") == [b"x"]
    assert ranks.spread(lambda: b"y", "test") == b"y"
    numbers = torch.arange(6).reshape(2, 3)
    assert torch.equal(ranks.sum(numbers, "test"), numbers)
    with pytest.raises(ZeroDivisionError):
        ranks.spread(lambda: bytes(1 // 0), "test")
    ranks.close()
    with pytest.raises(ValueError, match=r"^the shard was closed: open it again$"):
        ranks.gather(b"", "test")


def test_processes_that_know_no_others_are_told_to_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(RuntimeError) as raised:
        open_shard("nowhere")
    assert str(raised.value) == (
        "4 processes were started (WORLD_SIZE), which have no group yet: call "
        "torch.distributed.init_process_group('gloo') first"
    )


SUMS = """
import torch
import torch.distributed as dist
from minifloat.distributed import RankError, Ranks
rank = dist.get_rank()
half = dist.new_group([0, 2])
ranks, again = Ranks(), Ranks()
numbers = torch.tensor([[0.1, 1e8], [rank, 3.0]])
whole = ranks.sum(numbers, "a")
expected = torch.zeros(2, 2)
for other in range(3):
    expected += torch.tensor([[0.1, 1e8], [other, 3.0]])
assert torch.equal(whole, expected)
long = bytes(range(256)) * 1000
found = again.gather(long * rank, "long")
assert (found is None) == (rank != 0)
assert found is None or found == [long * other for other in range(3)]
if rank != 1:
    few = Ranks(half)
    assert few.count == 2
    assert few.sum(torch.tensor([rank]), "few").tolist() == [2]
try:
    ranks.sum(numbers, "one thing" if rank else "another")
except RankError as error:
    print(error)
"""


def test_ranks_add_up_in_order_in_any_group_and_notice_other_calls() -> None:
    ended = launched(SUMS, 3)
    assert [one.status for one in ended] == [0] * 3, ended[0].err + ended[1].err
    text = "rank 1 asks for something else (round 2, and this is 2): all ranks must make the same"
    assert all(text in one.out for one in ended)


def test_an_error_of_a_rank_survives_a_pickle() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(RankError(3, "is gone")))
    assert (str(error), error.rank, error.reason) == ("rank 3 is gone", 3, "is gone")
