"""What each format saves, and how it does, at a glance."""

from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.metrics.size import BYTES_PER_VECTOR
from evaluation.bitdepth.recommendation import recommended
from evaluation.bitdepth.rows import ConditionRow
from evaluation.bitdepth.tables.columns import FORMAT
from evaluation.bitdepth.tables.told import Told
from evaluation.bitdepth.verdicts import TONES, Judged, format_verdicts
from evaluation.page.notation import percent
from evaluation.page.table import Cell, Column, Content, Table
from evaluation.stored.conditions import PREPARATIONS


def overview(told: Told) -> Table:
    """Return a row for each format: what it saves, and verdicts by how vectors are prepared."""
    study, tolerance = told.study, told.options.tolerance
    base, best = study.float32, recommended(study, tolerance=tolerance)
    whole = base[BYTES_PER_VECTOR]

    def judged(one: Judged | None) -> Content:
        if one is None:
            return None
        mark = "\N{BLACK STAR}" if one.result is best else ""
        tone = TONES[one.verdict]
        return Cell(value=one.verdict.value, small=_rates(one.row), tone=tone, mark=mark)

    found = format_verdicts(study, tolerance=tolerance)
    ways = [way for way in PREPARATIONS if any(way in one.by_preparation for one in found)]
    reference = Cell(value="reference", small=_rates(base))
    rows: list[list[Content]] = [["float32", whole, reference, *[""] * (len(ways) - 1)]]
    for one in found:
        size = one.as_is.row[BYTES_PER_VECTOR]
        smaller = f"{whole / size:.1f}\N{MULTIPLICATION SIGN} smaller"
        rows.append(
            [
                one.label,
                Cell(value=size, small=smaller),
                *(judged(one.by_preparation.get(way)) for way in ways),
            ]
        )
    return Table(
        slug=f"{study.name}-overview",
        caption=study.name,
        columns=[
            FORMAT,
            Column(heading="bytes"),
            *(Column(heading=PREPARATIONS[way], words=True) for way in ways),
        ],
        rows=rows,
        note=f"Bytes of a vector of {base.dim} values, framed 4 more. Small: FAR, FRR in "
        f"percent at the unchanged threshold; n = {base.nontargets:,} and {base.targets:,}. "
        "Star: recommended.",
        brief=True,
    )


def _rates(row: ConditionRow) -> str:
    return f"{percent(row[FAR].value)}, {percent(row[FRR].value)}"
