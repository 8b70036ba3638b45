"""OIIDD: how far the distances within speakers and those to other speakers overlap."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from scipy.stats import gaussian_kde

Array = NDArray[np.float64]
# A bandwidth as `scipy.stats.gaussian_kde` takes it: by name, or as a multiple of the deviation.
Rule = str | float

# Of distances that are all one number, kernels are followed to this many bandwidths beyond it.
REACH = 4
# Distances up to 2 that are as near as this differ by rounding alone.
SAME = 1e-12
# Kernel values held at one time: 32 MiB.
BLOCK = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Density:
    """How densities are estimated: by Gaussian kernels, on a grid of so many `points`.

    `rule` gives each sample a bandwidth. The grid reaches `reach` bandwidths beyond the outermost
    distances. Kernels narrower than its step are widened to it, unless they are `left_narrow`.
    """

    rule: Rule = "scott"
    points: int = 1024
    reach: int = REACH
    left_narrow: bool = False

    def words(self) -> str:
        """Return the estimate as a report tells it."""
        least = "" if self.left_narrow else " and at least one step of the grid"
        reaches = (
            f"reaches {self.reach} bandwidths beyond the outermost distances"
            if self.reach
            else "reaches from the least to the greatest distance"
        )
        return (
            "Gaussian kernels (scipy.stats.gaussian_kde), bandwidth by "
            f"{str(self.rule).capitalize()}'s rule{least}; the grid has {self.points} points and "
            f"{reaches}; area by the trapezoidal rule."
        )


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Two densities on one grid of distances, and the area below both of them.

    `own` is that of distances to the own centroid, `other` to the nearest other one; `means` are
    those of the distances, `bandwidths` the standard deviations of their kernels. `draws` has the
    area of each draw.
    """

    grid: Array
    own: Array
    other: Array
    means: tuple[float, float]
    bandwidths: tuple[float, float]
    draws: Array = field(default_factory=lambda: np.empty(0))

    @property
    def area(self) -> float:
        """OIIDD: 0 where the two are apart, 1 where they are the same."""
        return float(area_below_both(self.own, self.other, self.grid))


def overlap(
    own: Array,
    other: Array,
    *,
    speaker: NDArray[np.int32] | None = None,
    weights: Array | None = None,
    density: Density | None = None,
) -> Overlap:
    """Return the overlap of two samples of distances, estimated with Gaussian kernels.

    Kernels narrower than a step of the grid would fall between its points; a sample without spread
    has some of one step in any case. Draws count the rows of each speaker `weights[draw, speaker]`
    times and keep grid and bandwidths.
    """
    density = density or Density()
    lowest, highest = min(own.min(), other.min()), max(own.max(), other.max())
    widths, reach = [bandwidth(sample, density.rule) for sample in (own, other)], density.reach
    if highest - lowest <= SAME:
        # All distances are one number but for rounding: any width does.
        widths, reach = [1.0, 1.0], REACH
    margin = reach * max(widths)
    grid = np.linspace(lowest - margin, highest + margin, density.points)
    step = float(grid[1] - grid[0])
    if density.left_narrow:
        widths = [width or step for width in widths]
    else:
        widths = [max(width, step) for width in widths]
    if speaker is None:
        speaker = np.zeros(len(own), np.int32)
    sizes = np.bincount(speaker)
    parts = [
        kernels_by_speaker(sample, speaker, grid, width)
        for sample, width in zip((own, other), widths, strict=True)
    ]
    densities = [part.sum(axis=0) / len(own) for part in parts]
    areas = np.empty(0)
    if weights is not None:
        rows = (weights @ sizes)[:, None]
        areas = area_below_both(weights @ parts[0] / rows, weights @ parts[1] / rows, grid)
    return Overlap(
        grid=grid,
        own=densities[0],
        other=densities[1],
        means=(float(own.mean()), float(other.mean())),
        bandwidths=(widths[0], widths[1]),
        draws=areas,
    )


def bandwidth(sample: Array, rule: Rule) -> float:
    """Return the standard deviation of the kernels that `rule` gives a sample; 0 if all is one."""
    # SciPy refuses samples without spread.
    if len(sample) < 2 or np.ptp(sample) == 0:
        return 0.0
    return float(np.sqrt(gaussian_kde(sample, bw_method=rule).covariance[0, 0]))


def kernels_by_speaker(
    sample: Array, speaker: NDArray[np.int32], grid: Array, width: float
) -> Array:
    """Return the sum of the kernels of each speaker's rows on the grid: (speakers, points)."""
    sums = np.zeros((int(speaker.max()) + 1, len(grid)))
    step = max(1, BLOCK // len(grid))
    for start in range(0, len(sample), step):
        block = slice(start, start + step)
        away = (grid - sample[block, None]) / width
        np.add.at(sums, speaker[block], np.exp(-0.5 * away**2))
    return np.asarray(sums / (width * np.sqrt(2 * np.pi)))


def area_below_both(first: Array, second: Array, grid: Array) -> Array:
    """Return the area below the lower of two densities, by the trapezoidal rule."""
    return np.asarray(trapezoid(np.minimum(first, second), grid, axis=-1))
