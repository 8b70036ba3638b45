"""Tables beside a model's own: lists, published rates, overflow, speed and storage."""

from collections.abc import Sequence

import minifloat as mf
from evaluation.bitdepth.overflow import Overflow
from evaluation.bitdepth.published import DIM, published_rates
from evaluation.bitdepth.report_tables import FORMAT, judged_change
from evaluation.bitdepth.speed import NEAREST, QUERIES, REPEATS, ROWS, Speed
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.page.cells import BOUNDS, change_cell, value_cell
from evaluation.page.notation import count, percent, rare, signed
from evaluation.page.table import Column, Content, Table
from evaluation.trials.voxceleb import LISTS

BITS = (32, 16, 8, 6, 4)


def by_list(studies: Sequence[BitdepthStudy]) -> Table:
    """Return FAR and FRR of one model on several lists, with arrows against float32."""
    columns = [FORMAT]
    for study in studies:
        for name in ("FAR", "FRR"):
            heading = f"{study.name.removeprefix(study.task.embeddings.name).lstrip('-')} {name}"
            columns.append(Column(heading=heading, show=percent, interval=True))
    rows: list[list[Content]] = []
    for condition in (result.condition for result in studies[0].results):
        cells: list[Content] = [condition.label]
        for study in studies:
            result = study.result(condition)
            for estimate in (result.row.far, result.row.frr):
                arrow = judged_change(estimate, result)
                cells.append(value_cell(estimate, mark=arrow.mark, tone=arrow.tone))
        rows.append(cells)
    sizes = "; ".join(
        f"{one.float32.trials}: {one.float32.nontargets:,} and {one.float32.targets:,}"
        for one in studies
    )
    return Table(
        slug=f"{studies[0].task.embeddings.name}-lists",
        caption=f"{studies[0].task.embeddings.name}: FAR and FRR on each list",
        columns=columns,
        rows=rows,
        note="In percent, at the unchanged threshold of each list. An arrow tells that the "
        "paired difference from float32 has an interval without zero. n for FAR and FRR: "
        f"{sizes}. {BOUNDS}.",
    )


def against_published(study: BitdepthStudy) -> Table | None:
    """Return our rates beside those of the published model, None where it has none of the list."""
    row, model = study.float32, study.task.published
    rates = published_rates(model, row.targets + row.nontargets) if model else {}
    if not rates:
        return None
    rows: list[list[Content]] = []
    for result in study.results:
        found = rates.get(result.condition.name)
        if found is not None and result.condition.scale == "none":
            far, frr = result.row.far, result.row.frr
            rows.append(
                [result.condition.label, value_cell(far), found[0], value_cell(frr), found[1]]
            )
    return Table(
        slug=f"{study.name}-published",
        caption=f"Beside the published rates of {model}",
        columns=[
            FORMAT,
            Column(heading="FAR", show=percent, interval=True),
            Column(heading="FAR published", show=percent),
            Column(heading="FRR", show=percent, interval=True),
            Column(heading="FRR published", show=percent),
        ],
        rows=rows,
        note=f"In percent, as they are, at {row.threshold:.6f}; {row.trials}; n = "
        f"{row.nontargets:,} and {row.targets:,}. {BOUNDS}. Published: Kolmakov and Golubinskiy, "
        "2026, tables 2 to 4.",
    )


def overflow_table(study: BitdepthStudy, format: mf.Format, found: Sequence[Overflow]) -> Table:
    """Return what overflow does to a model's rates, with and without saturation."""
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


def speed_table(study: BitdepthStudy, found: Sequence[Speed]) -> Table:
    """Return how large a database is in each format and how long searches in it take."""
    return Table(
        slug=f"{study.name}-speed",
        caption=f"{study.name}: search on this machine",
        columns=[
            FORMAT,
            Column(heading="MB of the database", name="megabytes", show=lambda mb: f"{mb:.1f}"),
            *(
                Column(heading=f"ms, {queries} at once", show=lambda ms: f"{ms:.2f}", best="low")
                for queries in QUERIES
            ),
        ],
        rows=[[one.format, one.megabytes, *one.milliseconds] for one in found],
        note=f"Times of this machine, which differ from run to run: the median of {REPEATS} "
        f"searches for the {NEAREST} nearest of {ROWS:,} vectors of {study.float32.dim} values "
        "(the model's own, repeated), codes against codes by minifloat, float32 by torch's product "
        "and topk, with torch's number of threads.",
    )


def storage_table() -> Table:
    """Return the storage that the published study tells of its three lists, computed anew."""
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
