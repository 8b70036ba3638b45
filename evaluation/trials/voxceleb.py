"""The trial lists of VoxCeleb1, which one published study labels otherwise than VoxCeleb does."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class VoxCelebList:
    """A VoxCeleb1 list by the label that the paper gives it and by VoxCeleb's own name."""

    pairs: int
    paper: str
    official: str


LISTS = (
    VoxCelebList(pairs=37_611, paper="VoxCeleb-E", official="VoxCeleb1-O (cleaned)"),
    VoxCelebList(pairs=550_894, paper="VoxCeleb-O", official="VoxCeleb1-H (cleaned)"),
    VoxCelebList(pairs=579_818, paper="VoxCeleb-H", official="VoxCeleb1-E (cleaned)"),
)


def list_names(pairs: int) -> str:
    """Return both names of the list that has so many pairs, or nothing where there is none."""
    for one in LISTS:
        if one.pairs == pairs:
            return f" ({one.official}; in the paper {one.paper})"
    return ""
