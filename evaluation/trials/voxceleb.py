"""The trial lists of VoxCeleb1, which a table of one published study labels otherwise.

Its table 1 puts 37,611 pairs under E, 550,894 under O and 579,818 under H. The columns of its
tables 2 to 4 are VoxCeleb's own lists all the same. The FAR of every model rises from E over O to
H, and VoxCeleb made E the easiest and H hard, of one nationality and sex. The FRR of columns E
and H nearly agree, whose pairs of one speaker are of all speakers, while that of O stands apart,
whose pairs are of 40. And the FAR of 0.035 % in column E, of scaled WavLM, is no share of the
18,809 pairs of different speakers that the list of 37,611 has: 6 are 0.032 %, 7 are 0.037 %.
"""

from dataclasses import dataclass
from typing import Literal

Letter = Literal["E", "O", "H"]


@dataclass(frozen=True, kw_only=True)
class VoxCelebList:
    """A cleaned VoxCeleb1 list by VoxCeleb's letter and by the label that the paper's table 1 has.

    The columns of the paper's tables 2 to 4 go by VoxCeleb's letters.
    """

    letter: Letter
    pairs: int
    in_table_1: Letter

    @property
    def name(self) -> str:
        """What VoxCeleb calls it."""
        return f"VoxCeleb1-{self.letter} (cleaned)"


LISTS = (
    VoxCelebList(letter="O", pairs=37_611, in_table_1="E"),
    VoxCelebList(letter="H", pairs=550_894, in_table_1="O"),
    VoxCelebList(letter="E", pairs=579_818, in_table_1="H"),
)


def voxceleb_list(pairs: int) -> VoxCelebList | None:
    """Return the list that has so many pairs."""
    return next((one for one in LISTS if one.pairs == pairs), None)
