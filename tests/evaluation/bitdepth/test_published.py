"""What the bit-depth study prints, transcribed a second time.

N. Kolmakov, A. Golubinskiy, "Assessing the influence of floating-point bit depth on speaker
recognition accuracy", Informatics and Automation 25(1), 2026, pages 176 to 199.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import minifloat as mf
from evaluation.__main__ import main
from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.bitdepth.published import THRESHOLDS, published_rates
from evaluation.bitdepth.report import report
from evaluation.bitdepth.study import BitdepthStudy, bitdepth_study
from evaluation.bitdepth.tables import published
from evaluation.bitdepth.tables.published import against_published
from evaluation.bitdepth.tables.published_storage import published_storage
from evaluation.embeddings.embeddings import Embeddings
from evaluation.trials.voxceleb import LISTS, voxceleb_list
from tests.evaluation.bitdepth.tasks import all_pairs, told

Maker = Callable[..., Path]
REFERENCES = ("float32", "float16", "bfloat16")

# Tables 2 to 4 of the published study, transcribed a second time: by line FAR and FRR in percent on
# the lists that its columns E, O and H are.
PRINTED = {
    "campplus": """
        float32 0.93 3.61 1.39 2.94 3.86 3.47
        float16 0.93 3.61 1.39 2.94 3.86 3.47
        bfloat16 0.93 3.61 1.39 2.94 3.86 3.47
        e5m2 0.91 3.66 1.36 2.97 3.79 3.53
        e4m3 0.93 3.62 1.37 2.95 3.84 3.49
        e3m4 0.94 3.61 1.39 2.93 3.86 3.48
        e3m2 0.91 3.67 1.36 2.97 3.79 3.53
        e2m3 0.92 3.63 1.37 2.96 3.83 3.51
        e2m1 0.80 4.10 1.19 3.29 3.37 3.95
    """,
    "redimnet": """
        float32 1.57 0.41 2.59 0.19 4.97 0.42
        float16 1.57 0.41 2.52 0.19 4.97 0.42
        bfloat16 1.57 0.41 2.61 0.19 4.97 0.42
        e5m2 1.56 0.42 2.55 0.19 4.91 0.43
        e4m3 1.57 0.41 2.58 0.18 4.96 0.43
        e3m4 1.44 9.47 2.47 7.32 4.53 0.48
        e3m2 1.56 0.42 2.55 0.19 4.91 0.43
        e2m3 1.47 0.46 2.40 0.23 4.63 0.46
        e2m1 1.32 0.56 2.17 0.34 4.17 0.55
    """,
    "wavlm": """
        float32 4.57 1.10 6.23 2.96 2.01 1.04
        float16 4.57 1.10 6.23 2.96 2.01 1.04
        bfloat16 4.57 1.10 6.23 2.95 2.01 1.04
        e5m2 4.34 1.17 5.99 3.22 19.26 1.10
        e4m3 4.10 1.12 6.14 3.04 19.90 1.05
        e3m4 4.10 1.27 5.68 3.58 18.31 1.18
        e3m2 0.05 9.60 1.10 22.83 3.20 9.20
        e2m3 0.06 55.03 0.20 65.57 0.04 54.68
        e2m1 0.04 97.55 0.0 99.63 0.01 97.54
    """,
}


def test_published_rates_are_those_of_tables_2_to_4_cell_by_cell() -> None:
    pairs: dict[str, int] = {one.letter: one.pairs for one in LISTS}
    assert set(PRINTED) == set(THRESHOLDS)
    for model, text in PRINTED.items():
        lines = [line.split() for line in text.strip().splitlines()]
        for place, letter in enumerate(("E", "O", "H")):
            found = published_rates(model, pairs[letter])
            as_it_is = {name: rates for (scaled, name), rates in found.items() if not scaled}
            assert list(as_it_is) == [name for name, *_ in lines]
            for name, *numbers in lines:
                expected = [float(number) / 100 for number in numbers[2 * place :][:2]]
                np.testing.assert_allclose(as_it_is[name], expected, rtol=1e-12)
    assert published_rates("redimnet", 1000) == {}


def test_numbers_are_rounded_as_in_the_examples_of_its_pages_176_to_199() -> None:
    worked = np.array([4.5, 5, 5.1], np.float32)
    np.testing.assert_array_equal(mf.round(worked, "e2m1"), [4, 4, 6])


def test_scaled_rates_are_those_of_the_text() -> None:
    found = {
        (model, one.letter, name): rates
        for model in THRESHOLDS
        for one in LISTS
        for (scaled, name), rates in published_rates(model, one.pairs).items()
        if scaled
    }
    assert found == {("wavlm", "E", "e2m1"): pytest.approx((0.035, 0.016))}


def test_lists_are_those_whose_far_rises_from_easy_to_hard() -> None:
    pairs: dict[str, int] = {"E": 579_818, "O": 37_611, "H": 550_894}
    assert {one.letter: one.pairs for one in LISTS} == pairs
    for model in THRESHOLDS:
        of_lists = [published_rates(model, pairs[one]) for one in pairs]
        fars = [rates[False, "float32"][0] for rates in of_lists]
        if model == "wavlm":
            # Printed so; ten times as much would fit.
            assert fars.pop() == pytest.approx(0.0201)
        assert fars == sorted(fars)


def test_lists_are_named_as_voxceleb_does_and_as_in_table_1() -> None:
    names = {one.pairs: (one.name, one.in_table_1) for one in LISTS}
    assert names == {
        37_611: ("VoxCeleb1-O (cleaned)", "E"),
        550_894: ("VoxCeleb1-H (cleaned)", "O"),
        579_818: ("VoxCeleb1-E (cleaned)", "H"),
    }
    assert voxceleb_list(579_819) is None


def test_a_list_of_as_many_pairs_as_voxcelebs_o_has_the_published_rates_of_column_o(
    make_file: Maker, tmp_path: Path
) -> None:
    path, trials = make_file(speakers=50), tmp_path / "list.txt"
    names = [f"s{row // 6:03}/{row % 6:03}.wav" for row in range(300)]
    pairs = list(combinations(range(300), 2))[:37_611]
    trials.write_text("".join(f"{int(a // 6 == b // 6)} {names[a]} {names[b]}\n" for a, b in pairs))
    out = tmp_path / "out"
    options = ["--threshold", "campplus", "--formats", "e2m1", "--draws", "5", "--out", str(out)]
    assert main(["bitdepth", str(path), "--trials", str(trials), *options]) == 0
    page = (out / "report.html").read_text()
    assert "VoxCeleb1-O (cleaned)" in page
    *_, after = page.partition("Beside the published rates of campplus")
    rows = [re.findall("<t[hd].*?</t[hd]>", row, re.DOTALL) for row in after.split("</tr>")[:5]]
    texts = [[re.sub("<[^>]+>", "", cell).strip() for cell in row] for row in rows]
    assert [row[0] for row in texts] == ["format", *REFERENCES, "E2M1"]
    published_ones = [(row[2], row[4]) for row in texts]
    assert published_ones == [
        ("FAR published", "FRR published"),
        *[("1.39", "2.94")] * 3,
        ("1.19", "3.29"),
    ]


def test_published_rates_stand_beside_our_own(
    voices: Embeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = OperatingPoint(score=0.381)
    task = all_pairs(voices, operating_point=point, published="campplus")
    outcome = bitdepth_study(task, formats=[mf.E2M1], draws=5)
    assert against_published(told(outcome)) is None
    of_list = published_rates("campplus", 37_611)
    monkeypatch.setattr(published, "published_rates", lambda *_: of_list)
    table = against_published(told(outcome))
    assert table is not None
    header, *lines = table.csv().splitlines()
    assert header == (
        "format,far,far_low,far_high,far_published,frr,frr_low,frr_high,frr_published,shift,"
        "shift_published"
    )
    assert [line.split(",")[0] for line in lines] == [*REFERENCES, "E2M1"]
    *_, frr, _, shift = lines[-1].split(",")
    np.testing.assert_allclose(float(frr), 0.0329)
    assert shift == "usually under 0.05"


def test_scaled_rates_and_the_shift_of_wavlm_stand_beside_both_scalings(
    voices: Embeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = OperatingPoint(score=0.86)
    task = all_pairs(voices, operating_point=point, published="wavlm")
    outcome = bitdepth_study(task, formats=[mf.E2M1], draws=5)
    of_list = published_rates("wavlm", 579_818)
    monkeypatch.setattr(published, "published_rates", lambda *_: of_list)
    table = against_published(told(outcome))
    assert table is not None
    rows = {line.split(",")[0]: line.split(",") for line in table.csv().splitlines()}
    assert [*rows][-3:] == ["E2M1", "E2M1 scaled", "E2M1 scaled by the maximum"]
    for label in ("E2M1 scaled", "E2M1 scaled by the maximum"):
        assert (float(rows[label][4]), float(rows[label][8])) == (0.035, 0.016)
        assert rows[label][-1] == ""
    assert rows["E2M1"][-1] == "0.86 to about 0.1"


def test_the_storage_of_the_published_lists_is_told_only_of_these(voices: Embeddings) -> None:
    outcome = bitdepth_study(all_pairs(voices), formats=[mf.E2M1], draws=5)
    for pairs, is_told in ((37_611, True), (37_610, False)):
        of_list = with_pairs(outcome, pairs)
        page = report([of_list], {of_list.name: []}, told().options)
        assert ("Storage of 512 values for each pair of the published lists" in page) is is_told
        assert "What else was measured" in page or not is_told


def with_pairs(outcome: BitdepthStudy, pairs: int) -> BitdepthStudy:
    """The study as if it were of so many pairs."""
    row = replace(outcome.float32, targets=100, nontargets=pairs - 100)
    first, *others = outcome.results
    return replace(outcome, results=[replace(first, row=row), *others])


def test_the_storage_table_is_the_published_one(voices: Embeddings) -> None:
    outcome = bitdepth_study(all_pairs(voices), formats=[mf.E2M1], draws=5)
    table = published_storage(told(with_pairs(outcome, 37_611)))
    assert table is not None
    lines = [[table.text(i, cell) for i, cell in enumerate(row)] for row in table.cells]
    # Table 1: MiB of each list, and below them what is saved.
    assert [[line[0], *line[1::2]] for line in lines] == [
        ["32", "73.46", "1075.96", "1132.46"],
        ["16", "36.73", "537.98", "566.23"],
        ["8", "18.36", "268.99", "283.11"],
        ["6", "13.77", "201.74", "212.34"],
        ["4", "9.18", "134.50", "141.56"],
    ]
    assert [line[2::2] for line in lines[1:]] == [
        ["36.73", "537.98", "566.23"],
        ["55.09", "806.97", "849.34"],
        ["59.69", "874.22", "920.12"],
        ["64.28", "941.47", "990.90"],
    ]
