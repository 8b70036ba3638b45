import numpy as np
import pytest
from scipy.integrate import quad, trapezoid
from scipy.stats import gaussian_kde, norm

from evaluation.separation import overlap as module
from evaluation.separation.overlap import Density, bandwidth, overlap


def test_distances_that_are_apart_overlap_nowhere() -> None:
    rng = np.random.default_rng(0)
    own, other = rng.uniform(0, 0.1, 500), rng.uniform(0.9, 1, 500)
    assert overlap(own, other).area < 1e-9


def test_one_distribution_overlaps_with_itself() -> None:
    rng = np.random.default_rng(0)
    sample = rng.gamma(3, 0.1, 4000)
    assert overlap(sample, sample).area == pytest.approx(1, abs=1e-4)
    # Two samples of 4000 differ by chance: 5 % is several times what their densities do.
    assert overlap(sample, rng.gamma(3, 0.1, 4000)).area > 0.95


def test_the_overlap_of_two_normal_distributions_is_found() -> None:
    rng = np.random.default_rng(0)
    own, other = rng.normal(0, 1, 20_000), rng.normal(2, 1, 20_000)
    # The kernels widen both: their variance, 20 000^(-2/5), adds to that of the data.
    widened = np.sqrt(1 + 20_000**-0.4)
    expected = 2 * norm.cdf(-1 / widened)
    assert overlap(own, other).area == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("rule", ["scott", "silverman", 0.05, 0.4])
def test_the_area_is_that_below_scipys_densities(rule: str | float) -> None:
    rng = np.random.default_rng(1)
    own, other = rng.gamma(2, 0.1, 60), rng.gamma(6, 0.1, 60)
    first, second = (gaussian_kde(sample, bw_method=rule) for sample in (own, other))
    found = overlap(own, other, density=Density(rule=rule))
    np.testing.assert_allclose(found.own, first(found.grid), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.other, second(found.grid), rtol=1e-9, atol=1e-12)
    area, _ = quad(
        lambda x: min(first(x)[0], second(x)[0]), found.grid[0], found.grid[-1], limit=500
    )
    assert found.area == pytest.approx(area, abs=1e-4)


def test_densities_hold_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 5000)
    rng = np.random.default_rng(2)
    found = overlap(rng.uniform(0, 1, 50), rng.uniform(0, 20, 50))
    for density in (found.own, found.other):
        assert trapezoid(density, found.grid) == pytest.approx(1, abs=1e-4)


def test_a_draw_is_the_overlap_of_the_rows_it_takes() -> None:
    rng = np.random.default_rng(3)
    speaker = np.repeat(np.arange(4, dtype=np.int32), [3, 9, 5, 8])
    own, other = rng.gamma(2, 0.1, 25), rng.gamma(6, 0.1, 25)
    weights = np.array([[1, 1, 1, 1], [2, 0, 1, 1], [0, 4, 0, 0]], float)
    found = overlap(own, other, speaker=speaker, weights=weights)
    assert found.draws[0] == pytest.approx(found.area, rel=1e-12)
    for draw, weight in zip(found.draws, weights, strict=True):
        rows = np.repeat(np.arange(25), weight[speaker].astype(int))
        densities = [
            norm.pdf(found.grid[:, None], sample[rows], width).mean(axis=1)
            for sample, width in zip((own, other), found.bandwidths, strict=True)
        ]
        area = trapezoid(np.minimum(*densities), found.grid)
        assert draw == pytest.approx(area, rel=1e-9)


@pytest.mark.parametrize(
    ("own", "other", "area"), [(0.5, 0.5, 1.0), (1.0, 1.0 - 1e-16, 1.0), (0.0, 1.0, 0.0)]
)
def test_distances_without_spread_have_an_overlap(own: float, other: float, area: float) -> None:
    found = overlap(np.full(9, own), np.full(9, other))
    assert found.area == pytest.approx(area, abs=1e-3)


def test_kernels_are_as_wide_as_the_grid_is_fine() -> None:
    own = np.array([0.0, 1e-9, 2e-9])
    found = overlap(own, np.array([1.0, 2.0, 3.0]), density=Density(points=100))
    assert bandwidth(own, "scott") < 1e-8
    assert found.bandwidths[0] == pytest.approx(found.grid[1] - found.grid[0])
