"""How large a database is in each format, and how long searches in it take."""

from evaluation.bitdepth.speed import NEAREST, QUERIES, REPEATS, ROWS, speeds
from evaluation.bitdepth.tables.columns import FORMAT
from evaluation.bitdepth.tables.told import Told
from evaluation.page.table import Column, Table


def speed(told: Told) -> Table | None:
    """Return sizes of a database and times of searches in it; None where --speed is not given."""
    study, options = told.study, told.options
    if not options.speed:
        return None
    # By one rank, while others wait: searches that run side by side slow each other down.
    (found,) = study.task.trials.sharing.map(
        lambda embeddings: speeds(embeddings, options.formats), [study.task.embeddings]
    )
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
