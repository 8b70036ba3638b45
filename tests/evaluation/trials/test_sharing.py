"""Trials that ranks share: each is on one of them, and what they count adds up in any order."""

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from evaluation.bitdepth.study import histogram_of
from evaluation.command.sharing import ALONE, Sharing
from evaluation.embeddings.embeddings import Embeddings
from evaluation.statistics.bootstrap import SpeakerBootstrap
from evaluation.statistics.decisions import Decisions, Flips
from evaluation.stored.scorers import FloatScorer
from evaluation.trials import pairs
from evaluation.trials.pairs import AllPairs, Batch, TrialList, Trials

Made = Callable[[Embeddings, Sharing], Trials]
COUNTS = (2, 3, 5, 40)


class Part(Sharing):
    """One of several ranks, which is given nothing by the others, and keeps what it gives."""

    def __init__(self, rank: int, count: int) -> None:
        super().__init__()
        self._rank, self._count = rank, count
        self.given: list[NDArray[Any]] = []

    def summed(self, *counts: NDArray[Any]) -> Iterator[NDArray[Any]]:
        self.given += counts
        yield from counts


def listed(embeddings: Embeddings, sharing: Sharing) -> TrialList:
    chosen = np.random.default_rng(0).integers(0, len(embeddings), (500, 2))
    labels = embeddings.speaker[chosen[:, 0]] == embeddings.speaker[chosen[:, 1]]
    return TrialList(embeddings, pairs=chosen, labels=labels, description="listed", sharing=sharing)


@pytest.fixture(params=["pairs", "list"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setattr(pairs, "BATCH", 150)
    monkeypatch.setattr(pairs, "PAIR_VALUES", 300)
    every: Made = lambda embeddings, sharing: AllPairs(embeddings, sharing=sharing)  # noqa: E731
    return every if request.param == "pairs" else listed


def scorer_of(embeddings: Embeddings) -> FloatScorer:
    return FloatScorer(torch.from_numpy(embeddings.rows))


def contents(batch: Batch) -> tuple[Any, ...]:
    return batch.target, batch.scores.tolist(), batch.left.tolist(), batch.right.tolist()


@pytest.mark.parametrize("count", COUNTS)
def test_each_batch_is_on_one_rank_as_one_process_has_it(
    voices: Embeddings, made: Made, count: int
) -> None:
    scorer = scorer_of(voices)
    whole = [contents(batch) for batch in made(voices, ALONE).batches(scorer)]
    shares = [
        [contents(batch) for batch in made(voices, Part(rank, count)).batches(scorer)]
        for rank in range(count)
    ]
    # Batches that are scored at one time stay together.
    group = len(whole) // len(range(0, len(voices), 150 // len(voices)))
    group = group if made is not listed else 2
    groups = [[share[i : i + group] for i in range(0, len(share), group)] for share in shares]
    turns = [one for turn in zip_longest(*groups, fillvalue=[]) for one in turn]
    assert sum(turns, []) == whole  # noqa: RUF017
    assert sum(1 for share in shares if share) == min(count, len(whole) // group)


@pytest.mark.parametrize("count", COUNTS)
def test_what_ranks_count_adds_up_to_the_bit_in_any_order(
    voices: Embeddings, made: Made, count: int
) -> None:
    scorer = scorer_of(voices)
    grid = np.linspace(-0.5, 1, 30).astype(np.float32)

    def counted(sharing: Part) -> list[NDArray[Any]]:
        trials = made(voices, sharing)
        decisions = Decisions(np.float32(0.5))
        bootstrap = SpeakerBootstrap(trials, draws=100, seed=0)
        histogram_of(trials, scorer, reach=1)
        bootstrap.errors(scorer, grid, watch=decisions.record)
        flips = Flips(decisions, speakers=trials.speakers)
        decisions.threshold = np.float32(0.4)
        bootstrap.errors(scorer, grid, watch=flips.add)
        flips.add_others(sharing)
        return sharing.given

    (whole, *_), parts = [counted(Part(0, 1))], [counted(Part(i, count)) for i in range(count)]
    assert len(whole) == 2 + 4 + 4 + 1
    for one, *each in zip(whole, *parts, strict=True):
        assert (one == np.rint(one)).all()
        assert one.any()
        assert np.abs(one).sum() < 2**53
        for seed in range(5):
            total = np.zeros_like(one)
            for place in np.random.default_rng(seed).permutation(count):
                total += each[place]
            np.testing.assert_array_equal(total, one)


def test_the_order_in_which_flips_are_counted_changes_no_draw(voices: Embeddings) -> None:
    bootstrap = SpeakerBootstrap(AllPairs(voices), draws=50, seed=0)
    rng = np.random.default_rng(0)
    # Beyond what float32 counts exactly.
    by_pair = {int(pair): int(rng.integers(1, 1 << 24)) for pair in rng.permutation(144)}
    targets = np.arange(12)
    shares = bootstrap.share_draws(targets, by_pair)
    other = dict(sorted(by_pair.items(), reverse=True))
    np.testing.assert_array_equal(bootstrap.share_draws(targets, other), shares)
