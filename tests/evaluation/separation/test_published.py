"""The separation study's table, written down a second time.

M. Goncharovskiy, "A comparative analysis of modern voice embedding models", 4 November 2025, a page
of the web; its digits are those of `results/result.csv` of the repository
Maksim-Goncharovskiy/speaker-embeddings-benchmark.
"""

import pytest

from evaluation.separation.published import PRINTED, PUBLISHED
from evaluation.separation.study import Space
from evaluation.separation.tables.published import published
from evaluation.separation.tables.told import Told

# By column, as the study's file of results has them; CCR as its text has it.
MODELS = ("SpeakerNet", "TitaNet", "PyAnnote", "ECAPA (NeMo)", "ECAPA (SpeechBrain)")
COLUMNS = {
    (Space.COSINE, "oiidd"): "0.153347 0.072388 0.101293 0.121780 0.060105",
    (Space.COSINE, "ccr"): "231 20 55 48 27",
    (Space.COSINE, "silhouette"): "0.199892 0.341977 0.191127 0.323686 0.300467",
    (Space.MAP, "oiidd"): "0.663005 0.138527 0.627872 0.246701 0.263984",
    (Space.MAP, "ccr"): "5,697 994 6,295 1,749 1,566",
    (Space.MAP, "silhouette"): "0.330439 0.857031 0.274814 0.766812 0.705678",
}
CELLS = [
    (model, space, name, text)
    for (space, name), column in COLUMNS.items()
    for model, text in zip(MODELS, column.split(), strict=True)
]


@pytest.mark.parametrize(("model", "space", "name", "text"), CELLS)
def test_every_value_of_the_study_is_as_it_was_published(
    model: str, space: Space, name: str, text: str
) -> None:
    assert len(CELLS) == 30
    line = next(one for one in PUBLISHED if one.model == model)
    metric = next(one for one in PRINTED if one.name == name)
    assert line.value(space, metric) == float(text.replace(",", ""))
    table = published(Told(studies=[], as_published=True))
    row = next(cells for cells in table.cells if cells[0].value == model)
    column = 1 + 3 * [*Space].index(space) + PRINTED.index(metric)
    assert table.columns[column].heading == f"{space.distance} {metric.heading}"
    assert table.text(column, row[column]) == text


def test_the_table_has_its_best_values_marked() -> None:
    table = published(Told(studies=[], as_published=True))
    best = {
        (table.columns[i].heading, PUBLISHED[row].model)
        for row, cells in enumerate(table.cells)
        for i, cell in enumerate(cells)
        if table.is_best(i, cell)
    }
    assert best == {
        ("cosine OIIDD", "ECAPA (SpeechBrain)"),
        *((name, "TitaNet") for name in ("cosine CCR", "cosine silhouette")),
        *((f"Euclidean {name}", "TitaNet") for name in ("OIIDD", "CCR", "silhouette")),
    }
