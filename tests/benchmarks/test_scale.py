import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import minifloat as mf
from benchmarks.scale import check, databases, figures, lists, page, records, tables
from benchmarks.scale.__main__ import main
from benchmarks.scale.figures import Figures
from tests.benchmarks.scale_figures import DATA, FIGURES
from tests.support.rows import normal

E3M4, E2M1 = mf.E3M4, mf.E2M1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threads": 0}, "x: threads must be a whole number, at least 1; got 0"),
        ({"disk_bytes_per_s": "1"}, "x: disk_bytes_per_s must be a number above 0; got '1'"),
        ({"disk_bytes_per_s": math.nan}, "x: disk_bytes_per_s must be a number above 0; got nan"),
        ({"formats": {}}, "x: formats must be an object of JSON with fields; got {}"),
        (
            {"formats": {"e9m9": DATA["formats"]["e3m4"]}},
            f"x: formats must be of {', '.join(map(str, mf.FORMATS))}; got 'e9m9'",
        ),
        (
            {"formats": {"e3m4": {"bytes_per_s": 1}}},
            "x: formats.e3m4 must have products_per_s; it has bytes_per_s",
        ),
        (
            {"round_s": {"two": {"1": 1}}},
            "x: round_s must be by whole numbers, at least 1; got 'two'",
        ),
        ({"round_s": {"2": {"1": -1}}}, "x: round_s.2.1 must be a number above 0; got -1"),
    ],
)
def test_figures_that_cannot_be_are_told(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        figures.of(DATA | change, "x")


def test_a_file_of_figures_is_json_of_a_record_or_of_the_figures_alone(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    for data in (DATA, {"measure": DATA, "check": {}}):
        path.write_text(json.dumps(data))
        assert figures.load(path) == FIGURES
    path.write_text("{")
    with pytest.raises(ValueError, match=r"figures\.json must be JSON; Expecting"):
        figures.load(path)
    path.write_text("[]")
    with pytest.raises(ValueError, match=r"must be an object of JSON with fields; got \[\]"):
        figures.load(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--reserve", "9", "--memory", "8"], "--reserve must be less than --memory 8; got 9"),
        (["--gpu-tops", "9"], "--gpu-bandwidth and --gpu-tops must both be given, or neither"),
        (["--formats", "e3m2"], "--formats must be of those measured, e4m3, e3m4, e2m1; got e3m2"),
    ],
)
def test_options_that_go_not_together_are_told(
    options: list[str], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(DATA))
    with pytest.raises(SystemExit) as end:
        main(["plan", "--figures", str(path), *options])
    assert end.value.code == f"scripts/scale: {message}"


def test_a_plan_says_what_it_assumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(DATA))
    options = "--rows 1e8 --formats e3m4 --memory 16 --reserve 2 --gpu-bandwidth 2 --gpu-tops 100"
    main(["plan", "--figures", str(path), *options.split()])
    out = capsys.readouterr().out
    for part in ("a processor", "16 GB of memory, of which 2 GB", "| e3m4 | 26.0 GB | 2 |"):
        assert part in out
    assert out.count("An estimate that no GPU has confirmed") == 1


def test_a_plan_is_of_all_formats_that_were_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps(DATA))
    main(["plan", "--figures", str(path)])
    out = capsys.readouterr().out
    assert {name for name in map(str, mf.FORMATS) if f"| {name} |" in out} == {*DATA["formats"]}


def test_the_page_has_what_the_script_prints_of_the_record() -> None:
    text = page.PAGE.read_text()
    assert page.filled(text, records.read()) == text
    assert text.count("<!-- figures: ") == 4
    with pytest.raises(ValueError, match=r"^figures must be of measure, .*; got 'others'$"):
        page.filled("<!-- figures: others -->\nx\n<!-- end -->\n", records.read())


def test_blocks_of_the_page_are_filled_whatever_they_had() -> None:
    record = records.read()
    block = "<!-- figures: {} -->\n{}<!-- end -->\n"
    names = ("measure", "check", "lists")
    empty, old = ("\n".join(block.format(name, x) for name in names) for x in ("", "a\n\nb\n"))
    assert page.filled(empty, record) == page.filled(old, record)
    assert page.filled(empty, record).count("<!-- end -->") == 3


def test_numbers_have_three_digits_and_a_unit() -> None:
    times = [0, 2e-6, 1.5e-3, 0.0999, 12, 700, 40_000]
    told = ["-", "2.00 us", "1.50 ms", "99.9 ms", "12.0 s", "11.7 min", "11.1 h"]
    assert [*map(tables.seconds, times)] == told
    sizes = [0, 999, 1000, 999_600, 26e10]
    assert [*map(tables.size, sizes)] == ["-", "999 B", "1.00 kB", "1.00 MB", "260 GB"]


def test_bars_are_told_of_what_was_measured() -> None:
    times = {"all_s": [0.1, 0.1, 0.1], "own_s": [0.099, 0.0995, 0.09]}
    found = {
        "search": {"1": {"1": times, "2": times | {"all_s": [0.11, 0.12, 0.125]}}},
        "equal": {"2": times},
        "rows_a_rank": 10**6,
        "round_s": {"2": {"1": 2e-4, "64": 1e-3}},
        "processes_s": 3.0,
        "start": {"2": {"read_s": 1.0, "answered_s": 1.5}},
    }
    lines = [*check.bars_of(found)]
    assert "2 processes are 0.83 times as fast" in lines[0]
    assert lines[0].endswith("(at least 0.9): missed")
    assert "1.0% of it beside the slowest's own search (below 2%): met" in lines[1]
    assert "1 query, 2 processes: 20.5 ms beside" in lines[2]
    assert "1.50 times as long as reading alone" in lines[4]


def test_random_rows_of_a_file_differ_and_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.safetensors"
    rows = databases.made(path, E2M1, 70_000, 8)
    assert rows.shape == (70_000, 8)
    some = normal(3, 8)
    assert len(mf.search(some, rows, 5)[1].unique()) == 15
    assert databases.read_seconds(path) > 0
    assert databases.read_seconds(path, 5, 9) > 0


def test_all_lists_find_what_a_search_of_all_rows_does() -> None:
    sets = [*lists.data(3000, 40, 32, [])]
    (_, rows, queries) = sets[0]
    made = lists.Lists.of(rows, E3M4, 20)
    assert made.bounds[-1] == len(rows)
    exact = mf.search(queries[:1], made.rows, 10)[1]
    assert torch.equal(made.search(queries[:1], 10, 20), exact)
    assert made.scanned(queries, 20) == 1
    found = lists.studied(rows, queries, E3M4, 1)
    shares = [one["recall"] for one in found["shares"]]
    assert shares == sorted(shares)
    assert 0 < found["shares"][0]["scanned"] < 0.2


@pytest.mark.long
def test_processes_of_this_machine_are_measured_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "SIZES", (1, 2))
    asked = check.Asked(E3M4, 1e6, 64, 2, 2000, 0.1, tmp_path)
    found = check.checked(asked)
    assert found["rows"] == int(1e6 / 68)
    assert {size: len(of["all_s"]) for size, of in found["search"]["1"].items()} == {"1": 3, "2": 3}
    told = check.printed(records.machine() | found, FIGURES)
    assert len(re.findall(r"^\| [12] \| ", told, re.MULTILINE)) == 6
    assert "64 queries, 2,000 rows each of 2 processes" in told


def test_figures_are_known_by_their_types() -> None:
    assert isinstance(FIGURES, Figures)
    assert FIGURES.round_s[4] == {1: 9e-4, 64: 9e-3}
