"""The table of the study that this one reruns, with all digits that its author gave."""

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
    Published(model="SpeakerNet", cosine=(0.153347, 231, 0.199892), map=(0.663005, 5697, 0.330439)),
    Published(model="TitaNet", cosine=(0.072388, 20, 0.341977), map=(0.138527, 994, 0.857031)),
    Published(model="PyAnnote", cosine=(0.101293, 55, 0.191127), map=(0.627872, 6295, 0.274814)),
    Published(
        model="ECAPA (NeMo)", cosine=(0.121780, 48, 0.323686), map=(0.246701, 1749, 0.766812)
    ),
    Published(
        model="ECAPA (SpeechBrain)", cosine=(0.060105, 27, 0.300467), map=(0.263984, 1566, 0.705678)
    ),
)
