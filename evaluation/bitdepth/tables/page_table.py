"""A table of the page: what it is made of, and where it stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from evaluation.bitdepth.options import BitdepthOptions
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.page.page import Block, Fold
from evaluation.page.table import Table


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


@dataclass(frozen=True, kw_only=True)
class PageTable:
    """A table and its place; `make` measures what it needs, and returns None where that is not.

    One that is `folded` is seen when its `title`, or else its caption, is chosen.
    """

    make: Callable[[Told], Table | None]
    place: Place
    folded: bool = False
    title: str = ""

    def blocks(self, told: Told) -> list[Block]:
        """Return the table, folded or not; nothing where there is none."""
        table = self.make(told)
        if table is None:
            return []
        return [Fold(title=self.title or table.caption, blocks=[table])] if self.folded else [table]
