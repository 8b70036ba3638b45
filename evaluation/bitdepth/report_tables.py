"""The tables of a model's section of the report."""

from evaluation.bitdepth.notation import percent, rare, shift, signed
from evaluation.bitdepth.storage import storage_mib
from evaluation.bitdepth.study import Estimate, ModelStudy, Result
from evaluation.bitdepth.verdicts import Verdict, format_verdicts, verdict
from evaluation.bootstrap import CONFIDENCE
from evaluation.report import Cell, Column, Table, Tone

MILLION = 1_000_000
TONES: dict[Verdict, Tone] = {
    Verdict.SAFE: "good",
    Verdict.RETUNE: "fair",
    Verdict.COSTLY: "poor",
}


def overview(study: ModelStudy, *, tolerance: float) -> Table:
    """Return a row for each format: what it saves, and whether it serves as it is and scaled."""
    name, base = study.embeddings.name, study.float32

    def judged(result: Result, verdict: Verdict) -> Cell:
        row = result.row
        rates = f"{percent(row.far.value)}, {percent(row.frr.value)}"
        return Cell(value=verdict.value, small=rates, tone=TONES[verdict])

    rates = f"{percent(base.far.value)}, {percent(base.frr.value)}"
    rows: list[list[Cell | str | int]] = [
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
        slug=f"{name}-overview",
        caption=name,
        columns=[
            Column(heading="format"),
            Column(heading="bytes"),
            Column(heading="as it is", words=True),
            Column(heading="scaled", words=True),
        ],
        rows=rows,
        note=f"Bytes of a vector of {base.dim} values. Small: FAR, FRR in percent at the "
        f"unchanged threshold; n = {base.nontargets:,} and {base.targets:,}.",
    )


def error_rates(study: ModelStudy, *, tolerance: float) -> Table:
    """Return EER, FAR and FRR of every condition, and their differences from float32."""
    base = study.float32
    columns = [Column(heading="format"), Column(heading="bytes")]
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
    rows = []
    for result in study.results:
        row = result.row
        judged = verdict(row, tolerance=tolerance)
        cells: list[Cell | str | int] = [result.condition.label, row.bytes_per_vector]
        for estimate in (row.eer, row.far, row.frr):
            cells += [_value(estimate), _change(estimate, reference=result.condition.is_float32)]
        if result.condition.is_float32:
            cells.append("reference")
        else:
            cells.append(Cell(value=judged.value, tone=TONES[judged]))
        rows.append(cells)
    given = "given" if study.threshold_given else "where those of float32 meet"
    return Table(
        slug=f"{study.embeddings.name}-errors",
        caption="Error rates",
        columns=[*columns, Column(heading="verdict", words=True)],
        rows=rows,
        note="In percent; differences from float32 in percentage points. FAR and FRR are taken at "
        f"the threshold {base.threshold:.6f} ({given}). The small figures bound the "
        f"{round(100 * CONFIDENCE)} % interval over draws of speakers; n = {base.nontargets:,} for "
        f"FAR, {base.targets:,} for FRR.",
    )


def _value(estimate: Estimate) -> Cell:
    return Cell(value=estimate.value, low=estimate.low, high=estimate.high)


def _change(estimate: Estimate, *, reference: bool) -> Cell:
    if reference:
        return Cell(value=None)
    return Cell(value=estimate.change, low=estimate.change_low, high=estimate.change_high)


def decisions(study: ModelStudy) -> Table:
    """Return the four counts of every condition, what became of the values, and storage."""
    base = study.float32

    def count(number: int) -> str:
        return f"{number:,}"

    rows: list[list[str | int | float]] = [
        [
            result.condition.label,
            *(result.row.tp, result.row.fn, result.row.fp, result.row.tn),
            result.row.eer_threshold_shift,
            result.row.cosine_loss,
            result.row.overflow,
            result.row.underflow,
            result.row.total_bytes,
            storage_mib(MILLION, bits=result.row.bits, dim=result.row.dim),
        ]
        for result in study.results
    ]
    return Table(
        slug=f"{study.embeddings.name}-decisions",
        caption="Decisions, values and storage",
        columns=[
            Column(heading="format"),
            *(Column(heading=name, show=count) for name in ("TP", "FN", "FP", "TN")),
            Column(heading="shift", show=shift),
            Column(heading="1 \N{MINUS SIGN} cos", name="cosine_loss", show=_scientific),
            Column(heading="overflow", show=rare),
            Column(heading="to zero", show=rare),
            Column(heading="total bytes", show=count),
            Column(heading="MiB of a million", show=lambda mib: f"{mib:.2f}"),
        ],
        rows=rows,
        note="Pairs of one speaker accepted (TP) and rejected (FN), pairs of different speakers "
        f"accepted (FP) and rejected (TN), at the threshold {base.threshold:.6f}. Shift: how far "
        "the threshold where FAR and FRR meet moves. 1 \N{MINUS SIGN} cos: the mean over "
        f"{base.vectors:,} vectors of 1 minus the cosine to the original. Overflow: values in "
        "percent that exceed the format and are held at its largest. To zero: values in percent "
        f"that were not zero and become zero (n = {base.vectors * base.dim:,} for both). Total "
        "bytes hold one float32 more per vector for the formats, the reciprocal of its length; MiB "
        "of a million vectors is the codes alone.",
    )


def _scientific(number: float) -> str:
    return f"{number:.1e}" if number else "0"
