"""One step measured: what metrics take their numbers from."""

from dataclasses import dataclass

from evaluation.separation.distances import Distances, Speaker
from evaluation.separation.overlap import Density, Overlap, overlap
from evaluation.statistics.speaker_draws import SpeakerDraws


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The distances of rows, how far they overlap, and the draws of speakers."""

    distances: Distances
    overlap: Overlap
    draws: SpeakerDraws


def measurement(
    distances: Distances, speaker: Speaker, draws: SpeakerDraws, density: Density
) -> Measured:
    """Return the distances of rows measured."""
    curves = overlap(
        distances.own, distances.other, speaker=speaker, weights=draws.weights, density=density
    )
    return Measured(distances=distances, overlap=curves, draws=draws)
