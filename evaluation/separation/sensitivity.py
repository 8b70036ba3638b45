"""How far the numbers depend on choices: of densities, centroids and maps.

python -m evaluation.separation.sensitivity FILE... prints tables in Markdown.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from evaluation.embeddings.embeddings import load_embeddings
from evaluation.separation.distances import Distances, cosine_distances, euclidean_distances
from evaluation.separation.overlap import Density, Rule, overlap
from evaluation.separation.speaker_map import MapOptions, speaker_map

DENSITY = Density()
RULES: tuple[Rule, ...] = (DENSITY.rule, "silverman", 0.05, 0.1, 0.2, 0.4, 0.8)
GRIDS = (128, 256, 512, 4096, 16384)
BINS = (25, 50, 100, 200, 400)

MAPS = {
    "the default": MapOptions(),
    **{f"seed {seed}": MapOptions(seed=seed) for seed in range(1, 5)},
    "30 neighbours": MapOptions(neighbors=30),
    "min_dist 0": MapOptions(min_dist=0.0),
    "spectral start": MapOptions(init="spectral"),
    "spectral start, Euclidean metric (UMAP's defaults)": MapOptions(
        init="spectral", metric="euclidean"
    ),
}

Way = Callable[[Distances], float]


def ways() -> dict[str, Way]:
    """Return ways to estimate the overlap by name, the study's own first."""
    rule, points = str(DENSITY.rule).capitalize(), DENSITY.points
    found: dict[str, Way] = {}
    for one in RULES:
        name = one.capitalize() if isinstance(one, str) else f"{one:g} deviations"
        density = replace(DENSITY, rule=one)
        found[f"kernels, {name}, {points} points"] = partial(kernel_overlap, density=density)
    for points in GRIDS:
        density = replace(DENSITY, points=points)
        found[f"kernels, {rule}, {points} points"] = partial(kernel_overlap, density=density)
    for bins in BINS:
        found[f"histograms, {bins} bins"] = partial(histogram_overlap, bins=bins)
    return found


def kernel_overlap(distances: Distances, *, density: Density = DENSITY) -> float:
    """Return the overlap by kernels."""
    return overlap(distances.own, distances.other, density=density).area


def histogram_overlap(distances: Distances, *, bins: int) -> float:
    """Return the overlap of the two samples counted in the same bins."""
    samples = (distances.own, distances.other)
    span = (float(np.min(samples)), float(np.max(samples)))
    counts = [np.histogram(sample, bins=bins, range=span)[0] for sample in samples]
    return float(np.minimum(*counts).sum() / len(distances.own))


def main(paths: Sequence[str]) -> None:
    """Print tables by the estimate of densities, by the centroids and by the map."""
    models = [load_embeddings(Path(path)) for path in paths]
    cosine = {model.name: cosine_distances(model.rows, model.speaker) for model in models}
    maps = {
        words: {
            model.name: euclidean_distances(speaker_map(model.rows, options), model.speaker)
            for model in models
        }
        for words, options in MAPS.items()
    }
    first = next(iter(maps.values()))
    _print(
        ["density", *(f"{name}, {d}" for d in ("cosine", "Euclidean") for name in cosine)],
        [
            [words, *(f"{way(one):.4f}" for one in (*cosine.values(), *first.values()))]
            for words, way in ways().items()
        ],
    )
    columns = [f"{model.name} {metric}" for model in models for metric in ("OIIDD", "CCR")]
    lengths = [cosine_distances(m.rows, m.speaker, unit_centroids=False) for m in models]
    _print(
        ["centroid of", *columns],
        [
            ["vectors of length 1", *(cell for one in cosine.values() for cell in _cells(one)[:2])],
            ["vectors as they are", *(cell for one in lengths for cell in _cells(one)[:2])],
        ],
    )
    columns = [
        f"{model.name} {metric}" for model in models for metric in ("OIIDD", "CCR", "silhouette")
    ]
    _print(
        ["map", *columns],
        [
            [words, *(cell for one in found.values() for cell in _cells(one))]
            for words, found in maps.items()
        ],
    )


def _cells(distances: Distances) -> list[str]:
    area = kernel_overlap(distances)
    return [f"{area:.3f}", f"{distances.confused.sum()}", f"{distances.silhouette.mean():.3f}"]


def _print(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for cells in (headings, ["---"] * len(headings), *rows):
        print(f"| {' | '.join(cells)} |")
    print(flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
