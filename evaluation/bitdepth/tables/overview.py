"""What each format saves, and how it does, at a glance."""

from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.metrics.size import BYTES_PER_VECTOR
from evaluation.bitdepth.recommendation import recommended
from evaluation.bitdepth.rows import ConditionRow
from evaluation.bitdepth.study import ConditionResult
from evaluation.bitdepth.tables.columns import FORMAT
from evaluation.bitdepth.tables.told import Told
from evaluation.bitdepth.verdicts import TONES, Verdict, format_verdicts
from evaluation.page.notation import percent
from evaluation.page.table import Cell, Column, Content, Table


def overview(told: Told) -> Table:
    """Return a row for each format: what it saves, and its verdicts as it is and scaled."""
    study, tolerance = told.study, told.options.tolerance
    base, best = study.float32, recommended(study, tolerance=tolerance)
    whole = base[BYTES_PER_VECTOR]

    def judged(result: ConditionResult, verdict: Verdict) -> Cell:
        mark = "\N{BLACK STAR}" if result is best else ""
        tone = TONES[verdict]
        return Cell(value=verdict.value, small=_rates(result.row), tone=tone, mark=mark)

    rows: list[list[Content]] = [
        ["float32", whole, Cell(value="reference", small=_rates(base)), ""]
    ]
    for one in format_verdicts(study, tolerance=tolerance):
        size = one.as_is.row[BYTES_PER_VECTOR]
        smaller = f"{whole / size:.1f}\N{MULTIPLICATION SIGN} smaller"
        rows.append(
            [
                one.label,
                Cell(value=size, small=smaller),
                judged(one.as_is, one.verdict_as_is),
                judged(one.scaled, one.verdict_scaled),
            ]
        )
    return Table(
        slug=f"{study.name}-overview",
        caption=study.name,
        columns=[
            FORMAT,
            Column(heading="bytes"),
            Column(heading="as it is", words=True),
            Column(heading="scaled", words=True),
        ],
        rows=rows,
        note=f"Bytes of a vector of {base.dim} values. Small: FAR, FRR in percent at the "
        f"unchanged threshold; n = {base.nontargets:,} and {base.targets:,}. Star: recommended.",
        brief=True,
    )


def _rates(row: ConditionRow) -> str:
    return f"{percent(row[FAR].value)}, {percent(row[FRR].value)}"
