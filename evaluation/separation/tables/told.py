"""What tables of the separation study are made of, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from evaluation.separation.standings import Standing
from evaluation.separation.study import SeparationStudy


class Place(Enum):
    """Where a table stands, and of what it is made there."""

    MODELS = "models side by side: of all models"
    CHOICE = "whether fewer bits change the choice: of two models or more"
    MODEL = "a model's own section: of that model"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What tables are made of: the studies of a place, and who is best of them by what.

    `standings` is empty for a single model. `as_published` tells whether all was measured as the
    published study did it.
    """

    studies: Sequence[SeparationStudy]
    standings: Sequence[Standing] = ()
    as_published: bool = False
