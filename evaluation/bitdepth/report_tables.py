"""The tables of a model's section of the report."""

from evaluation.bitdepth.measurement import PRIORS
from evaluation.bitdepth.recommendation import recommended
from evaluation.bitdepth.study import BitdepthStudy, ConditionResult
from evaluation.bitdepth.tolerance import Tolerance
from evaluation.bitdepth.verdicts import Verdict, format_verdicts, verdict
from evaluation.page.cells import BOUNDS, change_cell, value_cell
from evaluation.page.notation import count, finely, percent, rare, scientific, shift, signed
from evaluation.page.table import Cell, Column, Content, Table, Tone
from evaluation.statistics.estimates import Estimate

MILLION = 1_000_000
TONES: dict[Verdict, Tone] = {
    Verdict.WITHIN: "good",
    Verdict.UNSURE: "fair",
    Verdict.RETUNE: "fair",
    Verdict.COSTLY: "poor",
}
UP, DOWN = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"
FORMAT = Column(heading="format")


def overview(study: BitdepthStudy, *, tolerance: Tolerance) -> Table:
    """Return a row for each format: what it saves, and its verdicts as it is and scaled."""
    base, best = study.float32, recommended(study, tolerance=tolerance)

    def judged(result: ConditionResult, verdict: Verdict) -> Cell:
        row = result.row
        rates = f"{percent(row.far.value)}, {percent(row.frr.value)}"
        mark = "\N{BLACK STAR}" if result is best else ""
        return Cell(value=verdict.value, small=rates, tone=TONES[verdict], mark=mark)

    rates = f"{percent(base.far.value)}, {percent(base.frr.value)}"
    rows: list[list[Content]] = [
        ["float32", base.bytes_per_vector, Cell(value="reference", small=rates), ""]
    ]
    for one in format_verdicts(study, tolerance=tolerance):
        size = one.as_is.row.bytes_per_vector
        smaller = f"{base.bytes_per_vector / size:.1f}\N{MULTIPLICATION SIGN} smaller"
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


def error_rates(study: BitdepthStudy, *, tolerance: Tolerance) -> Table:
    """Return EER, FAR and FRR of every condition, and their differences from float32."""
    base = study.float32
    columns = [FORMAT, Column(heading="bytes")]
    for name in ("EER", "FAR", "FRR"):
        columns.append(Column(heading=name, show=percent, interval=True))
        columns.append(
            Column(
                heading=f"{name} against float32",
                name=f"{name.lower()}_change",
                show=signed,
                interval=True,
            )
        )
    rows: list[list[Content]] = []
    for result in study.results:
        row = result.row
        cells: list[Content] = [result.condition.label, row.bytes_per_vector]
        for estimate in (row.eer, row.far, row.frr):
            cells += [value_cell(estimate), judged_change(estimate, result)]
        judged = verdict(row, tolerance=tolerance)
        reference = result.condition.is_float32
        cells.append("reference" if reference else Cell(value=judged.value, tone=TONES[judged]))
        rows.append(cells)
    return Table(
        slug=f"{study.name}-errors",
        caption="Error rates",
        columns=[*columns, Column(heading="verdict", words=True)],
        rows=rows,
        note="In percent; differences from float32 in percentage points, with an arrow where the "
        "interval leaves out zero. FAR and FRR are taken at "
        f"the threshold {base.threshold:.6f} ({study.task.operating_point.words}). {BOUNDS}; "
        f"n = {base.nontargets:,} for FAR, {base.targets:,} for FRR.",
    )


def judged_change(estimate: Estimate, result: ConditionResult, *, rise: Tone = "poor") -> Cell:
    """Return the difference from float32, with an arrow; `rise` is how a rise is to be seen."""
    if result.condition.is_float32:
        return Cell(value=None)
    if estimate.change_low > 0:
        return change_cell(estimate, mark=UP, tone=rise)
    if estimate.change_high < 0:
        return change_cell(estimate, mark=DOWN, tone="good" if rise == "poor" else "poor")
    return change_cell(estimate, tone=rise)


def decisions(study: BitdepthStudy) -> Table:
    """Return the four counts of every condition, and how many decisions are not float32's."""
    base = study.float32
    rows: list[list[Content]] = []
    for result in study.results:
        row = result.row
        counts: list[Content] = [row.tp, row.fn, row.fp, row.tn]
        flips: list[Content] = [row.flipped_targets, row.flipped_nontargets]
        rows.append(
            [
                result.condition.label,
                *counts,
                value_cell(row.same_decision),
                *flips,
                row.eer_threshold,
                row.eer_threshold_shift,
            ]
        )
    return Table(
        slug=f"{study.name}-decisions",
        caption="Decisions",
        columns=[
            FORMAT,
            *(Column(heading=name, show=count) for name in ("TP", "FN", "FP", "TN")),
            Column(heading="same decision", show=finely, interval=True),
            Column(heading="flipped, one speaker", show=count),
            Column(heading="flipped, different speakers", show=count),
            Column(heading="EER threshold", show=lambda cosine: f"{cosine:.4f}"),
            Column(heading="shift", show=shift),
        ],
        rows=rows,
        note="Pairs of one speaker accepted (TP) and rejected (FN), pairs of different speakers "
        f"accepted (FP) and rejected (TN), at the threshold {base.threshold:.6f}. Same decision: "
        "pairs in percent that are accepted or rejected as in float32, and how many pairs are not "
        f"(flipped); n = {base.targets + base.nontargets:,} pairs, {base.targets:,} of one "
        f"speaker. {BOUNDS}. Shift: how far the threshold where FAR and FRR meet moves.",
    )


def identification(study: BitdepthStudy) -> Table:
    """Return detection costs, and what the nearest recordings tell, of every condition."""
    base = study.float32
    costs = [
        Column(
            heading=f"minDCF, prior {prior:g}",
            name=f"min_dcf_{prior}",
            show=lambda cost: f"{cost:.4f}",
            interval=True,
        )
        for prior in PRIORS
    ]
    rows: list[list[Content]] = [
        [
            result.condition.label,
            *(value_cell(result.row.min_dcf[prior]) for prior in PRIORS),
            value_cell(result.row.top1),
            judged_change(result.row.top1, result, rise="good"),
            value_cell(result.row.top5),
            value_cell(result.row.recall10),
        ]
        for result in study.results
    ]
    return Table(
        slug=f"{study.name}-identification",
        caption="Detection cost and identification",
        columns=[
            FORMAT,
            *costs,
            Column(heading="top-1", show=percent, interval=True),
            Column(heading="top-1 against float32", name="top1_change", show=signed, interval=True),
            Column(heading="top-5", show=percent, interval=True),
            Column(heading="recall at 10", show=percent, interval=True),
        ],
        rows=rows,
        note="minDCF: the least cost over all thresholds of misses and false alarms, which cost 1 "
        "each, at a prior of a pair being of one speaker, against that of accepting none; "
        f"n = {base.targets:,} and {base.nontargets:,} pairs. Top-1, top-5: in percent, how often "
        "the nearest of all other recordings, or one of the nearest five, is of the same speaker. "
        "Recall at 10: which percentage of the ten nearest are among the ten nearest of float32, "
        "or tie with its tenth by float32's cosine; "
        f"n = {base.queries:,} recordings that are looked for among {base.vectors - 1:,} others. "
        f"{BOUNDS}, of those who are looked for.",
    )


def values(study: BitdepthStudy) -> Table:
    """Return what storing does to the values of every condition, and how much it takes."""
    base = study.float32
    rows: list[list[Content]] = [
        [
            result.condition.label,
            result.row.cosine_loss,
            result.row.overflow,
            result.row.underflow,
            result.row.bytes_per_vector,
            result.row.total_bytes,
            MILLION * result.row.bytes_per_vector / 2**20,
        ]
        for result in study.results
    ]
    return Table(
        slug=f"{study.name}-storage",
        caption="Values and storage",
        columns=[
            FORMAT,
            Column(heading="1 \N{MINUS SIGN} cos", name="cosine_loss", show=scientific),
            Column(heading="overflow", show=rare),
            Column(heading="to zero", show=rare),
            Column(heading="bytes"),
            Column(heading="total bytes", show=count),
            Column(heading="MiB of a million", show=lambda mib: f"{mib:.2f}"),
        ],
        rows=rows,
        note=f"1 \N{MINUS SIGN} cos: the mean over {base.vectors:,} vectors of 1 minus the cosine "
        "to the original. Overflow: values in percent that exceed the format and are held at its "
        "largest, or become infinity or NaN where it is unsaturated. To zero: values in percent "
        f"that were not zero and become zero (n = {base.vectors * base.dim:,} for both). Total "
        "bytes hold one float32 more per vector for the formats, the reciprocal of its length; MiB "
        "of a million vectors is the codes alone. These are counts: they have no interval.",
    )
