"""What overflow does to a model's rates, with and without saturation."""

from evaluation.bitdepth.overflow import first_to_overflow, overflows
from evaluation.bitdepth.tables.told import Told
from evaluation.page.cells import BOUNDS, change_cell, value_cell
from evaluation.page.notation import percent, rare, signed
from evaluation.page.table import Column, Content, Table


def overflow(told: Told) -> Table | None:
    """Return rates of values of several sizes; None where no format has infinity, or all are 0.

    Neither where scores are normalised: these are rates of cosines.
    """
    study, options = told.study, told.options
    if study.task.cohort is not None:
        return None
    format = first_to_overflow(options.formats)
    found = overflows(study, format, draws=options.draws, seed=options.seed) if format else []
    if format is None or not found:
        return None
    name, row = format.name.upper(), study.float32
    rows: list[list[Content]] = [
        [
            f"{one.largest:.4g}",
            "saturated" if one.saturate else "unsaturated",
            one.values,
            one.vectors,
            value_cell(one.far),
            change_cell(one.far),
            value_cell(one.frr),
            change_cell(one.frr),
        ]
        for one in found
    ]
    return Table(
        slug=f"{study.name}-overflow",
        caption=f"{study.name}: {name} when values are too large",
        columns=[
            Column(heading="largest value"),
            Column(heading="codes", words=True),
            Column(heading="values that overflow", show=rare),
            Column(heading="vectors that overflow", show=rare),
            Column(heading="FAR", show=percent, interval=True),
            Column(heading="FAR against float32", name="far_change", show=signed, interval=True),
            Column(heading="FRR", show=percent, interval=True),
            Column(heading="FRR against float32", name="frr_change", show=signed, interval=True),
        ],
        rows=rows,
        note=f"All in percent. The embeddings are multiplied so that their largest value is the "
        f"one given; no cosine of float32 changes by it. {name} reaches {format.max:g}. Saturated, "
        f"a larger value is held there; unsaturated it becomes infinity or NaN, the cosine of its "
        f"vector is no number, and the pair is rejected. At {row.threshold:.6f}; n = "
        f"{row.vectors:,} vectors, {row.nontargets:,} and {row.targets:,} pairs. {BOUNDS}.",
    )
