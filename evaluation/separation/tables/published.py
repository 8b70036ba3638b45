"""The table of the published study."""

from dataclasses import replace

from evaluation.page.notation import count, listed
from evaluation.page.table import Column, Content, Table
from evaluation.separation.definitions import AS_PUBLISHED
from evaluation.separation.metrics.ccr import CCR
from evaluation.separation.metrics.oiidd import OIIDD
from evaluation.separation.overlap import overlap
from evaluation.separation.published import DATA, PRINTED, PUBLISHED, SOURCE
from evaluation.separation.study import SeparationStudy, Space
from evaluation.separation.tables.columns import metric_columns
from evaluation.separation.tables.told import Told


def published(told: Told) -> Table:
    """Return the table of the published study; of maps only where they are made as its own."""
    spaces = [*Space] if told.as_published else [Space.COSINE]
    rows: list[list[Content]] = [
        [line.model, *(line.value(space, metric) for space in spaces for metric in PRINTED)]
        for line in PUBLISHED
    ]
    columns = metric_columns(PRINTED, interval=False, spaces=spaces)
    return Table(
        slug="published",
        caption="The published study's table, for comparison",
        columns=[
            Column(heading="model"),
            *(one if one.show is count else replace(one, show=_all_digits) for one in columns),
        ],
        rows=rows,
        note=f"{SOURCE}: {DATA}; n = 19,625, without intervals. Numbers of other recordings do not "
        "compare one by one: with more speakers the nearest other one is nearer. "
        f"{SAME if told.as_published else _otherwise(told)}",
    )


# What its map changes, as docs/studies/separation.md has it: Euclidean OIIDD, CCR and silhouette of
# CAM++ by the definitions here, then by the study's.
MEASURED = (("0.043", "103", "0.925"), ("0.056", "106", "0.918"))
SAME = "All metrics are taken here as the study takes them, from maps made as its own."


def _all_digits(value: float) -> str:
    return f"{value:.6f}"


def _otherwise(told: Told) -> str:
    """Return which definitions are not the study's, and what its own give of cosine distances."""
    density = AS_PUBLISHED.density
    found = "; ".join(_by_both(study) for study in told.studies)
    return (
        "Its definitions are others than those here: its centroids are means of vectors as they "
        f"are, its densities reach over {density.points} points from the least to the greatest "
        "distance, and of equally near centroids it takes the first. "
        f"{f'By them, {found}; silhouettes stay as they are. ' if found else ''}Its maps are made "
        f"otherwise ({AS_PUBLISHED.map.words()}), which changes more: of 5,245 recordings by CAM++ "
        f"Euclidean OIIDD, CCR and silhouette were {listed(MEASURED[0])} by the definitions here "
        f"and {listed(MEASURED[1])} by the study's. So its columns of maps stand here with "
        "--as-published alone, where all is taken as in the study."
    )


def _by_both(study: SeparationStudy) -> str:
    embeddings, row = study.embeddings, study.float32(Space.COSINE).row
    distances = AS_PUBLISHED.cosine(embeddings.rows, embeddings.speaker)
    area = overlap(distances.own, distances.other, density=AS_PUBLISHED.density).area
    return (
        f"{row.model} has OIIDD {area:.6f} instead of {row[OIIDD].value:.6f} and "
        f"CCR {count(int(distances.confused.sum()))} instead of {CCR.show(row[CCR].value)}"
    )
