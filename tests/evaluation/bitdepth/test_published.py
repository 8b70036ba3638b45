from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import minifloat as mf
from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.bitdepth.published import THRESHOLDS, published_rates
from evaluation.bitdepth.report import report
from evaluation.bitdepth.study import BitdepthStudy, bitdepth_study
from evaluation.bitdepth.tables import published
from evaluation.bitdepth.tables.published import against_published
from evaluation.bitdepth.tables.published_storage import published_storage
from evaluation.embeddings.embeddings import Embeddings
from evaluation.trials.voxceleb import LISTS, list_names
from tests.evaluation.bitdepth.tasks import all_pairs, told

Maker = Callable[..., Path]
REFERENCES = ("float32", "float16", "bfloat16")


def test_every_model_has_rates_of_every_list_and_of_the_papers_formats() -> None:
    names = {*REFERENCES, "e5m2", "e4m3", "e3m4", "e3m2", "e2m3", "e2m1"}
    for model in THRESHOLDS:
        for one in LISTS:
            rates = published_rates(model, one.pairs)
            assert set(rates) == names
            assert all(0 <= rate < 1 for pair in rates.values() for rate in pair)
    assert published_rates("redimnet", 37_611)["e3m4"] == pytest.approx((0.0144, 0.0947))
    assert published_rates("redimnet", 1000) == {}


def test_lists_are_named_as_in_the_paper_and_officially() -> None:
    assert list_names(579_818) == " (VoxCeleb1-E (cleaned); in the paper VoxCeleb-H)"
    assert list_names(579_819) == ""


def test_published_rates_stand_beside_our_own(
    voices: Embeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = OperatingPoint(cosine=0.381)
    task = all_pairs(voices, operating_point=point, published="campplus")
    outcome = bitdepth_study(task, formats=[mf.E2M1], draws=5)
    assert against_published(told(outcome)) is None
    of_list = published_rates("campplus", 37_611)
    monkeypatch.setattr(published, "published_rates", lambda *_: of_list)
    table = against_published(told(outcome))
    assert table is not None
    header, *lines = table.csv().splitlines()
    assert header == "format,far,far_low,far_high,far_published,frr,frr_low,frr_high,frr_published"
    assert [line.split(",")[0] for line in lines] == [*REFERENCES, "E2M1"]
    np.testing.assert_allclose(float(lines[-1].split(",")[-1]), 0.041)


def test_the_storage_of_the_published_lists_is_told_only_of_these(voices: Embeddings) -> None:
    outcome = bitdepth_study(all_pairs(voices), formats=[mf.E2M1], draws=5)
    for pairs, is_told in ((37_611, True), (37_610, False)):
        of_list = with_pairs(outcome, pairs)
        page = report([of_list], {of_list.name: []}, told().options)
        assert ("Storage of 512 values for each pair of the published lists" in page) is is_told
        assert ("What else was measured" in page) is is_told


def with_pairs(outcome: BitdepthStudy, pairs: int) -> BitdepthStudy:
    """The study as if it were of so many pairs."""
    row = replace(outcome.float32, targets=100, nontargets=pairs - 100)
    first, *others = outcome.results
    return replace(outcome, results=[replace(first, row=row), *others])


def test_the_storage_table_is_the_published_one(voices: Embeddings) -> None:
    outcome = bitdepth_study(all_pairs(voices), formats=[mf.E2M1], draws=5)
    table = published_storage(told(with_pairs(outcome, 37_611)))
    assert table is not None
    assert [[table.text(i, cell) for i, cell in enumerate(row)] for row in table.cells] == [
        ["32", "73.46", "1075.96", "1132.46"],
        ["16", "36.73", "537.98", "566.23"],
        ["8", "18.36", "268.99", "283.11"],
        ["6", "13.77", "201.74", "212.34"],
        ["4", "9.18", "134.50", "141.56"],
    ]
