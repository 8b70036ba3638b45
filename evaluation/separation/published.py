"""The table of the study that this one reruns, as its author printed it."""

from dataclasses import dataclass

from evaluation.separation.metrics.ccr import CCR
from evaluation.separation.metrics.metric import StepMetric
from evaluation.separation.metrics.oiidd import OIIDD
from evaluation.separation.metrics.silhouette import SILHOUETTE
from evaluation.separation.study import Space

SOURCE = (
    "M. Goncharovskiy, A comparative analysis of modern voice embedding models, 4 November 2025"
)
DATA = "Russian speakers of VoxTube, 785 speakers x 25 recordings of about 4 s"
# The metrics that it has, in the order of its numbers.
PRINTED = (OIIDD, CCR, SILHOUETTE)


@dataclass(frozen=True, kw_only=True)
class Published:
    """A model's line: cosine distances, then Euclidean distances on a 2-D UMAP."""

    model: str
    cosine: tuple[float, int, float]
    map: tuple[float, int, float]

    def value(self, space: Space, metric: StepMetric) -> float:
        """Return one of its six numbers."""
        values = self.cosine if space is Space.COSINE else self.map
        return values[PRINTED.index(metric)]


PUBLISHED = (
    Published(model="SpeakerNet", cosine=(0.153, 231, 0.200), map=(0.663, 5697, 0.330)),
    Published(model="TitaNet", cosine=(0.072, 20, 0.342), map=(0.139, 994, 0.857)),
    Published(model="PyAnnote", cosine=(0.101, 55, 0.191), map=(0.628, 6295, 0.275)),
    Published(model="ECAPA (NeMo)", cosine=(0.122, 48, 0.324), map=(0.247, 1749, 0.767)),
    Published(model="ECAPA (SpeechBrain)", cosine=(0.060, 27, 0.300), map=(0.264, 1566, 0.706)),
)
