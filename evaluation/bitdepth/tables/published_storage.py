"""The storage that the published study tells of its three lists, computed anew."""

from evaluation.bitdepth.published import DIM
from evaluation.bitdepth.tables.told import Told
from evaluation.page.notation import count
from evaluation.page.table import Column, Content, Table
from evaluation.trials.voxceleb import LISTS, voxceleb_list

BITS = (32, 16, 8, 6, 4)


def published_storage(told: Told) -> Table | None:
    """Return what the lists take at each number of bits; None where no study is of one of them."""
    studied = (study.float32 for study in told.studies)
    if not any(voxceleb_list(row.targets + row.nontargets) for row in studied):
        return None
    columns = [Column(heading="bits", show=count)]
    for one in LISTS:
        label = f"{one.pairs:,} pairs: {one.name}, {one.in_table_1} in table 1"
        columns += [
            Column(heading=label, name=f"mib_{one.pairs}", show=_two_decimals),
            Column(heading="saved", name=f"saved_{one.pairs}", show=_two_decimals),
        ]
    rows: list[list[Content]] = []
    for bits in BITS:
        rows.append([bits])
        for one in LISTS:
            saved = None if bits == BITS[0] else _mib(one.pairs, BITS[0] - bits)
            rows[-1] += [_mib(one.pairs, bits), saved]
    return Table(
        slug="storage",
        caption=f"Storage of {DIM} values for each pair of the published lists, MiB",
        columns=columns,
        rows=rows,
        note=f"Pairs x {DIM} x bits / 8 / 2^20, and what that saves of float32, as in table 1 of "
        "the published study: computed, not measured. Table 1 labels the lists otherwise than "
        "VoxCeleb does; the columns of its tables 2 to 4 do not.",
    )


def _mib(pairs: int, bits: int) -> float:
    return pairs * DIM * bits / 8 / 2**20


def _two_decimals(mib: float) -> str:
    return f"{mib:.2f}"
