"""The storage that the published study tells of its three lists, computed anew."""

from evaluation.bitdepth.published import DIM
from evaluation.bitdepth.tables.told import Told
from evaluation.page.notation import count
from evaluation.page.table import Column, Table
from evaluation.trials.voxceleb import LISTS, list_names

BITS = (32, 16, 8, 6, 4)


def published_storage(told: Told) -> Table | None:
    """Return what the lists take at each number of bits; None where no study is of one of them."""
    rows = (study.float32 for study in told.studies)
    if not any(list_names(row.targets + row.nontargets) for row in rows):
        return None
    return Table(
        slug="storage",
        caption=f"Storage of {DIM} values for each pair of the published lists, MiB",
        columns=[
            Column(heading="bits", show=count),
            *(
                Column(
                    heading=f"{one.pairs:,} pairs: {one.official}, in the paper {one.paper}",
                    name=f"mib_{one.pairs}",
                    show=lambda mib: f"{mib:.2f}",
                )
                for one in LISTS
            ),
        ],
        rows=[[bits, *(one.pairs * DIM * bits / 8 / 2**20 for one in LISTS)] for bits in BITS],
        note=f"Pairs x {DIM} x bits / 8 / 2^20, as in table 1 of the published study: computed, "
        "not measured.",
    )
