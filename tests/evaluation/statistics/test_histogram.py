import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import det_curve

from evaluation.statistics.histogram import (
    BINS,
    BINS_PER_UNIT,
    ScoreHistogram,
    edge,
    float32_threshold,
)
from evaluation.statistics.thresholds import threshold_grid


def floats(values: list[float]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def histogram_of(targets: NDArray[np.float32], nontargets: NDArray[np.float32]) -> ScoreHistogram:
    histogram = ScoreHistogram()
    histogram.add(targets, target=True)
    histogram.add(nontargets, target=False)
    return histogram


def det_equal_error(targets: NDArray[np.float32], nontargets: NDArray[np.float32]) -> float:
    """The equal error rate by linear interpolation on scikit-learn's curve."""
    labels = np.repeat([1, 0], [len(targets), len(nontargets)])
    far, frr, _ = det_curve(labels, np.concatenate((targets, nontargets)))
    # det_curve leaves out the end where everything is rejected.
    far, frr = np.append(far, 0.0), np.append(frr, 1.0)
    k = int(np.argmax(frr >= far))
    if k == 0:
        return float(frr[0])
    before, after = far[k - 1] - frr[k - 1], frr[k] - far[k]
    return float(far[k - 1] + (far[k] - far[k - 1]) * before / (before + after))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("decimals", [None, 2, 1], ids=["distinct", "some ties", "many ties"])
def test_eer_agrees_with_det_curve(seed: int, decimals: int | None) -> None:
    rng = np.random.default_rng(seed)
    targets = np.clip(rng.normal(0.4, 0.2, 500), -1, 1).astype(np.float32)
    nontargets = np.clip(rng.normal(0.0, 0.2, 4000), -1, 1).astype(np.float32)
    if decimals is not None:
        targets, nontargets = targets.round(decimals), nontargets.round(decimals)
    histogram = histogram_of(targets, nontargets)
    rate = histogram.equal_error().rate
    expected = det_equal_error(targets, nontargets)
    # Both curves pass the bin's two edges, so both rates lie between the rates there.
    far, frr = histogram.false_rates()
    k = int(np.argmax(frr >= far))
    low, high = max(far[k], frr[k - 1]), min(far[k - 1], frr[k])
    assert low <= rate <= high
    assert abs(rate - expected) <= high - low + 1e-12


def test_eer_threshold_is_a_bin_edge_in_float32() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(-1, 1, (2, 1000)).astype(np.float32)
    threshold = histogram_of(*scores).equal_error().threshold
    assert threshold * BINS_PER_UNIT == int(threshold * BINS_PER_UNIT)
    assert float(np.float32(threshold)) == threshold


def test_counts_at_every_bin_edge_are_exact() -> None:
    rng = np.random.default_rng(1)
    targets, nontargets = rng.uniform(-1, 1, (2, 5000)).astype(np.float32)
    # Scores on edges and just beside them are where rounding would show.
    on_edges = (rng.integers(0, BINS, 500) / BINS_PER_UNIT - 1).astype(np.float32)
    targets = np.concatenate((targets, on_edges, np.nextafter(on_edges, np.float32(-2))))
    far, frr = histogram_of(targets, nontargets).false_rates()
    for k in (*rng.integers(0, BINS, 50), *((on_edges[:50] + 1) * BINS_PER_UNIT).astype(int)):
        threshold = np.float32(edge(int(k)))
        assert far[k] * len(nontargets) == pytest.approx((nontargets >= threshold).sum(), abs=1e-6)
        rejected = (np.maximum(targets, -1) < threshold).sum()
        assert frr[k] * len(targets) == pytest.approx(rejected, abs=1e-6)


def test_apart_scores_have_no_error() -> None:
    equal = histogram_of(floats([0.5, 0.9]), floats([-0.2, 0.1])).equal_error()
    assert equal.rate == 0
    assert 0.1 < equal.threshold <= 0.5


def test_inverted_scores_have_an_eer_of_one() -> None:
    equal = histogram_of(floats([-0.9]), floats([0.9])).equal_error()
    assert equal.rate == 1


def test_minus_infinity_is_never_accepted() -> None:
    far, _ = histogram_of(floats([0.5]), floats([-np.inf, 0.5])).false_rates()
    assert far[1] == 0.5


@pytest.mark.parametrize("threshold", [0.381, 0.1, -0.3, 0.5, 1.0, 1 / 3])
def test_a_float32_threshold_decides_as_the_float64_one(threshold: float) -> None:
    rounded = float32_threshold(threshold)
    assert float(rounded) >= threshold
    assert float(np.nextafter(rounded, np.float32(-2))) < threshold


def test_coarse_histogram_keeps_all_counts() -> None:
    scores = floats([-1, -0.5, 0, 0.999, 1, 1.0000001])
    coarse = histogram_of(scores, scores).coarse(bins=8)
    np.testing.assert_array_equal(coarse.targets, [1, 0, 1, 0, 1, 0, 0, 3])


def test_counts_are_exact_within_a_reach_whatever_lies_beyond_it() -> None:
    rng = np.random.default_rng(2)
    targets, nontargets = (20 * rng.standard_normal((2, 5000))).astype(np.float32)
    assert (np.abs(targets) > 64).any()
    histogram = ScoreHistogram(reach=64)
    histogram.add(targets, target=True)
    histogram.add(nontargets, target=False)
    far, frr = histogram.false_rates()
    for k in rng.integers(1, BINS, 50):
        threshold = np.float32(edge(int(k), reach=64))
        assert far[k] * len(nontargets) == pytest.approx((nontargets >= threshold).sum(), abs=1e-6)
        assert frr[k] * len(targets) == pytest.approx((targets < threshold).sum(), abs=1e-6)
    coarse = histogram.coarse(bins=8)
    assert coarse.reach == 64
    np.testing.assert_array_equal(
        coarse.targets, np.histogram(np.clip(targets, -64, 64), bins=8, range=(-64, 64))[0]
    )


def test_rates_of_scores_that_are_stretched_with_the_reach_are_the_same() -> None:
    rng = np.random.default_rng(3)
    targets, nontargets = rng.uniform(-1, 1, (2, 3000)).astype(np.float32)
    narrow = histogram_of(targets, nontargets)
    wide = ScoreHistogram(reach=64)
    wide.add(64 * targets, target=True)
    wide.add(64 * nontargets, target=False)
    assert wide.equal_error().rate == narrow.equal_error().rate
    assert wide.equal_error().threshold == 64 * narrow.equal_error().threshold
    rates = np.array([0.01, 0.3])
    np.testing.assert_array_equal(
        wide.thresholds_at_far(rates), 64 * narrow.thresholds_at_far(rates)
    )
    assert wide.minimum_cost(0.05).threshold == 64 * narrow.minimum_cost(0.05).threshold
    grid = threshold_grid(wide, include=np.float32(64))
    np.testing.assert_array_equal(grid, 64 * threshold_grid(narrow, include=np.float32(1)))
