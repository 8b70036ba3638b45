"""What tables of the bit-depth study are made of, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from evaluation.bitdepth.options import BitdepthOptions
from evaluation.bitdepth.study import BitdepthStudy


class Place(Enum):
    """Where a table stands, and of what it is made there."""

    FORMATS = "which formats can be used: of each study"
    STUDY = "a study's own section: of that study"
    MODEL = "what else was measured: of each model, with its studies on all lists"
    ALL = "the end of that: of all studies"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What tables are made of: the studies of a place, and what the command line asks for."""

    studies: Sequence[BitdepthStudy]
    options: BitdepthOptions

    @property
    def study(self) -> BitdepthStudy:
        """The only study, or the first."""
        return self.studies[0]
