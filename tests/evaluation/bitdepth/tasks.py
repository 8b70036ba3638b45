"""Tasks of the bit-depth study."""

from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.bitdepth.study import Task
from evaluation.embeddings.embeddings import Embeddings
from evaluation.trials.pairs import AllPairs


def all_pairs(
    embeddings: Embeddings,
    *,
    operating_point: OperatingPoint | None = None,
    published: str | None = None,
) -> Task:
    """Return the task of comparing every pair of rows."""
    return Task(
        name=embeddings.name,
        embeddings=embeddings,
        trials=AllPairs(embeddings),
        operating_point=operating_point or OperatingPoint(),
        published=published,
    )
