import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import det_curve

import minifloat as mf
from evaluation.bitdepth.measurement import PRIORS
from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.study import bitdepth_study
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.statistics.bootstrap import SpeakerBootstrap, crossings
from evaluation.statistics.estimates import Estimate, interval
from evaluation.statistics.histogram import ScoreHistogram, detection_cost
from evaluation.statistics.thresholds import threshold_grid
from evaluation.stored.scorers import FloatScorer
from evaluation.trials.draws import PRODUCT, drawn, speaker_weights
from evaluation.trials.pairs import AllPairs, Scorer, TrialList, Trials
from tests.evaluation.bitdepth.tasks import all_pairs

Maker = Callable[..., Path]


def scorer_of(embeddings: Embeddings) -> Scorer:
    return FloatScorer(torch.from_numpy(embeddings.rows))


def measured(trials: Trials, scorer: Scorer) -> ScoreHistogram:
    histogram = ScoreHistogram()
    for batch in trials.batches(scorer):
        histogram.add(batch.scores, target=batch.target)
    return histogram


def eer_draws(embeddings: Embeddings, *, draws: int = 200, seed: int = 0) -> NDArray[np.float64]:
    trials, scorer = AllPairs(embeddings), scorer_of(embeddings)
    grid = threshold_grid(measured(trials, scorer), include=np.float32(0.5))
    return SpeakerBootstrap(trials, draws=draws, seed=seed).errors(scorer, grid).equal_error_draws()


def pair_list(embeddings: Embeddings) -> TrialList:
    """All pairs of the embeddings as a list, shuffled."""
    pairs = np.argwhere(np.triu(np.ones((len(embeddings),) * 2, bool), 1))
    pairs = np.random.default_rng(0).permutation(pairs)
    labels = embeddings.speaker[pairs[:, 0]] == embeddings.speaker[pairs[:, 1]]
    return TrialList(embeddings, pairs=pairs, labels=labels, description="listed")


def test_draws_equal_a_weighted_det_curve(voices: Embeddings) -> None:
    draws, seed, count = 20, 3, len(voices.speaker_names)
    weights = np.random.default_rng(seed).multinomial(count, [1 / count] * count, size=draws)
    i, j = np.triu_indices(len(voices), 1)
    scores = scorer_of(voices).pairs(np.stack((i, j), axis=1))
    left, right = voices.speaker[i], voices.speaker[j]
    for ours, w in zip(eer_draws(voices, draws=draws, seed=seed), weights, strict=True):
        trial_weights = np.where(left == right, w[left], w[left] * w[right]).astype(float)
        far, frr, _ = det_curve(left == right, scores, sample_weight=trial_weights)
        k = int(np.argmin(np.abs(far - frr)))
        # Near the rate, thresholds are 3 % apart in FAR; one trial of few moves a rate further.
        step = max(np.abs(np.diff(far)).max(), np.abs(np.diff(frr)).max())
        assert ours == pytest.approx((far[k] + frr[k]) / 2, rel=0.03, abs=step)


def test_the_least_cost_of_a_draw_is_that_over_all_thresholds(voices: Embeddings) -> None:
    draws, seed, count = 100, 3, len(voices.speaker_names)
    trials, scorer = AllPairs(voices), scorer_of(voices)
    grid = threshold_grid(measured(trials, scorer), include=np.float32(0.5), priors=PRIORS)
    errors = SpeakerBootstrap(trials, draws=draws, seed=seed).errors(scorer, grid)
    weights = speaker_weights(count, draws=draws, seed=seed).astype(float)
    i, j = np.triu_indices(len(voices), 1)
    scores = scorer.pairs(np.stack((i, j), axis=1))
    order = np.argsort(scores)
    left, right = voices.speaker[i[order]], voices.speaker[j[order]]
    target = left == right
    for prior in PRIORS:
        exact = []
        for w in weights.T:
            weight = np.where(target, w[left], w[left] * w[right])
            below = [np.concatenate(([0], np.cumsum(weight * kind))) for kind in (target, ~target)]
            frr, accepted = (one / one[-1] for one in below)
            exact.append(detection_cost(1 - accepted, frr, prior=prior).min())
        found = errors.minimum_cost_draws(prior)
        assert (found >= np.array(exact) - 1e-9).all()
        np.testing.assert_allclose(np.mean(found / exact), 1, atol=0.005)
        np.testing.assert_allclose(interval(found), interval(np.array(exact)), rtol=0.01)


def test_a_draw_of_everybody_once_is_the_estimate(
    make_file: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ones(speakers: int, *, draws: int, seed: int) -> NDArray[np.uint8]:
        return np.ones((speakers, draws), np.uint8)

    for module in ("bootstrap", "identification"):
        monkeypatch.setattr(f"evaluation.statistics.{module}.speaker_weights", ones)
    rows = np.random.default_rng(5).standard_normal((72, 4))
    for size in (1, 12, 40):
        # Of the larger ones most values are beyond E3M4, and unsaturated scores are no numbers.
        large = load_embeddings(make_file(name=f"x{size}", embeddings=(size * rows).astype("f4")))
        outcome = bitdepth_study(all_pairs(large), formats=[mf.E3M4], draws=3)
        for result in outcome.results:
            estimates = [one for one in result.row.values.values() if isinstance(one, Estimate)]
            assert estimates
            for one in estimates:
                np.testing.assert_allclose([one.low, one.high], one.value, rtol=1e-6, atol=1e-9)
                changes = [one.change_low, one.change_high]
                np.testing.assert_allclose(changes, one.change, rtol=1e-5, atol=1e-8)


def test_draws_cross_beyond_the_grid_where_all_or_none_are_accepted() -> None:
    # FAR and FRR at the only threshold; before it they are 1 and 0, behind it 0 and 1.
    far, frr = np.array([[0.2, 0.9, np.nan, 0.5]]), np.array([[0.6, 0.1, 0.5, np.nan]])
    before = 1 - 0.8 / (0.8 + 0.6)
    behind = 0.9 - 0.9 * 0.8 / (0.9 + 0.9)
    np.testing.assert_allclose(crossings(far, frr), [before, behind, np.nan, np.nan])


def test_weights_are_those_of_one_draw_after_the_other() -> None:
    speakers, draws = PRODUCT // 3 + 1, 5
    for count in (7, 300):
        even = np.full(count, 1 / count)
        expected = np.random.default_rng(1).multinomial(count, even, size=9).T
        np.testing.assert_array_equal(drawn(np.random.default_rng(1), count, draws=9), expected)
    # More speakers than are drawn for all draws at once.
    weights = drawn(np.random.default_rng(1), speakers, draws=draws)
    assert (weights.sum(axis=0) == speakers).all()


def test_all_pairs_and_the_same_pairs_listed_agree(voices: Embeddings) -> None:
    every, listed = AllPairs(voices), pair_list(voices)
    assert (every.targets, every.nontargets, every.speakers) == (
        listed.targets,
        listed.nontargets,
        listed.speakers,
    )
    scorer = scorer_of(voices)
    grid = threshold_grid(measured(every, scorer), include=np.float32(0.25))
    ours = SpeakerBootstrap(every, draws=50, seed=0).errors(scorer, grid)
    other = SpeakerBootstrap(listed, draws=50, seed=0).errors(scorer, grid)
    # A score may round differently alone and in a matrix product; thresholds are far apart.
    assert np.abs(ours.false_accepts - other.false_accepts).max() <= 1
    assert np.abs(ours.false_rejects - other.false_rejects).max() <= 1
    np.testing.assert_allclose(ours.far_draws, other.far_draws, atol=1e-2)
    np.testing.assert_allclose(ours.frr_draws, other.frr_draws, atol=1e-2)


def test_memory_grows_with_trials_and_not_with_speakers_squared(make_file: Maker) -> None:
    speakers = 20_000
    rows = np.random.default_rng(0).standard_normal((2 * speakers, 4)).astype(np.float32)
    many = load_embeddings(
        make_file(
            name="many",
            embeddings=rows,
            speaker=np.repeat(np.arange(speakers), 2),
            utterance=np.arange(2 * speakers).astype(str),
        )
    )
    own = np.arange(2 * speakers).reshape(-1, 2)
    other = np.stack((own[:, 0], np.random.default_rng(1).permutation(own[:, 1])), axis=1)
    pairs = np.concatenate((own, other))
    labels = many.speaker[pairs[:, 0]] == many.speaker[pairs[:, 1]]
    trials = TrialList(many, pairs=pairs, labels=labels, description="two trials each")
    scorer = scorer_of(many)
    grid = threshold_grid(measured(trials, scorer), include=np.float32(0.5))
    tracemalloc.start()
    errors = SpeakerBootstrap(trials, draws=100, seed=0).errors(scorer, grid)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A byte for each pair of speakers would be 400 MB; weights are 2 MB, a part's products 34 MB.
    assert peak < 200e6
    assert interval(errors.equal_error_draws())[0] > 0


def test_counts_are_exact_at_any_threshold(voices: Embeddings) -> None:
    trials, scorer = AllPairs(voices), scorer_of(voices)
    scores = scorer.block(slice(0, None), slice(0, None))
    i, j = np.triu_indices(len(voices), 1)
    same = voices.speaker[i] == voices.speaker[j]
    threshold = scores[i, j][len(i) // 2]
    grid = threshold_grid(measured(trials, scorer), include=threshold)
    errors = SpeakerBootstrap(trials, draws=1, seed=0).errors(scorer, grid)
    for place, edge in enumerate(grid):
        accepted = scores[i, j] >= edge
        assert errors.false_accepts[place] == (accepted & ~same).sum()
        assert errors.false_rejects[place] == (~accepted & same).sum()


def test_the_interval_holds_the_estimate_and_repeats_with_its_seed(voices: Embeddings) -> None:
    equal = measured(AllPairs(voices), scorer_of(voices)).equal_error()
    low, high = interval(eer_draws(voices))
    assert low < equal.rate < high
    assert interval(eer_draws(voices)) == (low, high)
    assert interval(eer_draws(voices, seed=1)) != (low, high)


def test_the_interval_narrows_with_more_speakers(make_file: Maker) -> None:
    widths = []
    for speakers in (10, 40, 160):
        path = make_file(name=f"v{speakers}", speakers=speakers, spread=1.2)
        low, high = interval(eer_draws(load_embeddings(path)))
        widths.append(high - low)
    assert widths[0] > widths[1] > widths[2]


def test_the_interval_covers_the_rate_of_many_speakers(make_file: Maker) -> None:
    many = load_embeddings(make_file(name="many", speakers=800, spread=1.2, utterances=5, seed=99))
    rate = measured(AllPairs(many), scorer_of(many)).equal_error().rate
    covered = 0
    for seed in range(40):
        few = load_embeddings(
            make_file(name="few", speakers=40, spread=1.2, utterances=5, seed=seed)
        )
        low, high = interval(eer_draws(few, draws=150))
        covered += low <= rate <= high
    # Of 40 intervals that hold with 95 %, fewer than 33 hold with a probability of 1 in 1000.
    assert covered >= 33


def test_differences_from_float32_are_paired(voices: Embeddings) -> None:
    results = bitdepth_study(all_pairs(voices), draws=100).results
    first, second = results[0].row, results[1].row
    assert first[EER].change_low == first[EER].change_high == 0
    # float16 changes next to nothing, though either rate alone is uncertain.
    rate = second[EER]
    assert rate.change_high - rate.change_low < 0.2 * (rate.high - rate.low)


def test_draws_without_both_kinds_of_trial_are_left_out() -> None:
    assert interval(np.array([0.1, 0.1, np.nan])) == (0.1, 0.1)
    assert np.isnan(interval(np.array([0.1, np.nan, np.nan]))).all()
