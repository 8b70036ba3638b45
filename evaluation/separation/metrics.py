"""The three measures of how well speakers are apart, from the distances of rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from evaluation.separation.distances import Distances, Speaker
from evaluation.separation.overlap import Overlap, overlap
from evaluation.statistics.estimates import Number
from evaluation.statistics.speaker_draws import SpeakerDraws


class Metric(Enum):
    """A measure, by the name that readers see."""

    OIIDD = "OIIDD"
    CCR = "CCR"
    SILHOUETTE = "silhouette"

    @property
    def higher_is_better(self) -> bool:
        """Whether the best model is the one with the highest value."""
        return self is Metric.SILHOUETTE


@dataclass(frozen=True, kw_only=True)
class Separation:
    """Each metric, and what it is in each draw of speakers.

    OIIDD is the area below both densities of distances: to the own centroid, and to the nearest
    other one. CCR counts the rows that are nearer to another centroid than to their own; in a
    draw, which may have more or fewer rows, it is their share times the rows there are.
    The silhouette is the mean over rows.
    """

    numbers: Mapping[Metric, Number]
    overlap: Overlap


def separation(distances: Distances, speaker: Speaker, draws: SpeakerDraws) -> Separation:
    """Return the three metrics of the distances of rows."""
    curves = overlap(distances.own, distances.other, speaker=speaker, weights=draws.weights)
    confused = distances.confused.astype(float)
    return Separation(
        numbers={
            Metric.OIIDD: Number(value=curves.area, draws=curves.draws),
            Metric.CCR: Number(
                value=float(confused.sum()), draws=draws.means(confused) * len(speaker)
            ),
            Metric.SILHOUETTE: Number(
                value=float(distances.silhouette.mean()), draws=draws.means(distances.silhouette)
            ),
        },
        overlap=curves,
    )
