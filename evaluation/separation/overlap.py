"""OIIDD: how far the distances within speakers and those to other speakers overlap."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from scipy.stats import gaussian_kde

Array = NDArray[np.float64]
# A bandwidth as `scipy.stats.gaussian_kde` takes it: by name, or as a multiple of the deviation.
Rule = str | float

RULE: Rule = "scott"
POINTS = 1024
# Kernels are followed to this many bandwidths beyond the outermost distance.
REACH = 4
# Distances up to 2 that are as near as this differ by rounding alone.
SAME = 1e-12
# Kernel values held at one time: 32 MiB.
BLOCK = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Two densities on one grid of distances, and the area below both of them.

    `own` is that of distances to the own centroid, `other` to the nearest other one;
    `bandwidths` are the standard deviations of their kernels. `draws` has the area of each draw.
    """

    grid: Array
    own: Array
    other: Array
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
    rule: Rule = RULE,
    points: int = POINTS,
) -> Overlap:
    """Return the overlap of two samples of distances, estimated with Gaussian kernels.

    Each sample has the bandwidth that `rule` gives it, but at least a step of the grid: narrower
    kernels would fall between its `points`. Draws count the rows of each speaker `weights[draw,
    speaker]` times and keep grid and bandwidths.
    """
    lowest, highest = min(own.min(), other.min()), max(own.max(), other.max())
    widths = [bandwidth(sample, rule) for sample in (own, other)]
    if highest - lowest <= SAME:
        # All distances are one number but for rounding: any width does.
        widths = [1.0, 1.0]
    margin = REACH * max(widths)
    grid = np.linspace(lowest - margin, highest + margin, points)
    step = float(grid[1] - grid[0])
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
