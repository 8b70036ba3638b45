"""FAR and FRR of one model on each of its lists."""

from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.tables.columns import FORMAT, judged_change
from evaluation.bitdepth.tables.told import Told
from evaluation.page.cells import BOUNDS, value_cell
from evaluation.page.table import Column, Content, Table


def by_list(told: Told) -> Table | None:
    """Return FAR and FRR of one model on its lists, with arrows against float32; None for one."""
    studies = told.studies
    if len(studies) == 1:
        return None
    columns = [FORMAT]
    for study in studies:
        trial_list = study.name.removeprefix(study.task.embeddings.name).lstrip("-")
        for metric in (FAR, FRR):
            heading = f"{trial_list} {metric.heading}"
            columns.append(Column(heading=heading, show=metric.show, interval=True))
    rows: list[list[Content]] = []
    for condition in (result.condition for result in studies[0].results):
        cells: list[Content] = [condition.label]
        for study in studies:
            result = study.result(condition)
            for metric in (FAR, FRR):
                arrow = judged_change(metric, result)
                cells.append(value_cell(result.row[metric], mark=arrow.mark, tone=arrow.tone))
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
