import json
import re
from pathlib import Path
from typing import Any

import pytest

import minifloat as mf
from benchmarks import __main__ as command
from benchmarks import codec
from benchmarks.harness.calls import Sizes
from benchmarks.harness.case import Setting
from benchmarks.harness.device import Processor
from benchmarks.harness.limits import LEAST_BYTES
from benchmarks.harness.rival import NotHereError, Rival
from benchmarks.harness.table import table
from benchmarks.registry import OPS, cases


def test_a_table_has_a_heading_for_each_kind_of_case_and_a_line_for_each_result() -> None:
    sizes = Sizes(values=[1024], queries=[1, 3], rows=300, dim=40, k=5)
    chosen = cases([OPS["encode"], OPS["search"]], [mf.E2M1], ["float32"], sizes)
    alone = Setting(Processor(), rounds=1, strict=True)
    results = [(case, case.measure(alone, float("inf")).found) for case in chosen]
    heading, first, second, empty, other_heading, *lines = table(results).splitlines()
    assert re.match(r"op .* scope +values .* Gvalues/s .* of copy", heading)
    assert re.match(
        r"op .* queries +rows +dim +k .* GMAC/s .* of read +of multiply +recall", other_heading
    )
    assert [first.split()[0], second.split()[0], empty] == ["encode", "encode", ""]
    assert [line.split()[0] for line in lines] == ["search", "search"]


@pytest.fixture
def records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Records of every operation, as the command writes them next to its table."""
    out = tmp_path / "results" / "all.jsonl"
    given = ["--values", "16K,192", "--queries", "1,3", "--rows", "1000", "--dim", "64", "--k", "5"]
    given += ["--format", "e2m1", "--repeats", "2", "--threads", "2"]
    assert command.main([*given, "--no-rivals", "--out", str(out)]) == 0
    records = [json.loads(line) for line in out.read_text().splitlines()]
    # Above the table, its two headings, and the line between its two parts.
    assert len(capsys.readouterr().out.splitlines()) == 4 + len(records)
    for record in records:
        assert str(out) in record["command"]
    return records


def test_every_operation_yields_a_complete_json_line(records: list[dict[str, Any]]) -> None:
    assert {record["op"] for record in records} == set(OPS)
    for record in records:
        low, high = record["quartiles_s"]
        assert 0 < low <= record["median_s"] <= high
        assert record["gb_per_s"] == pytest.approx(record["bytes"] / record["median_s"] / 1e9)
        assert record["threads"] == 2
        assert record["versions"]["minifloat"] == mf.__version__
        assert record["machine"]["cpu"]


def test_a_record_of_values_has_its_scope_and_its_share_of_a_copy(
    records: list[dict[str, Any]],
) -> None:
    elementwise = [record for record in records if "values" in record]
    assert {(r["op"], r["scope"]) for r in elementwise} == {
        (op, scope) for op in codec.OPS for scope in codec.SCOPES
    }
    for record in elementwise:
        assert record["values"] == record["shape"][0] * record["shape"][1]
        assert (record["share_of_copy"] is None) == (record["bytes"] < LEAST_BYTES)
        assert "recall" not in record


def test_a_record_of_a_search_has_its_products_its_share_of_a_read_and_its_recall(
    records: list[dict[str, Any]],
) -> None:
    scoring = [record for record in records if "values" not in record]
    assert {(r["op"], r["source"], r["queries"]) for r in scoring} == {
        (op, source, n)
        for op in ("scores", "search")
        for source in ("float32", "codes")
        for n in (1, 3)
    }
    for record in scoring:
        assert (record["rows"], record["dim"], record["k"]) == (1000, 64, 5)
        assert record["bytes"] == 1000 * 32
        products = record["queries"] * 1000 * 64
        assert record["gmac_per_s"] == pytest.approx(products / record["median_s"] / 1e9)
        assert record["share_of_read"] > 0
        assert record["share_of_multiply"] > 0
        assert 0.5 < record["recall"] <= 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--op", "encode,cast"], "must be one of encode, decode, .*; got 'cast'"),
        (["--format", "e4m4"], "must be one of e5m2, .*; got 'e4m4'"),
        (["--format", "float8_e4m3"], "got 'float8_e4m3', whose largest value is 240: e4m3 is"),
        (["--source", "int8"], "must be one of float16, .*codes; got 'int8'"),
        (["--source", "codes"], "--source: encode needs one of float16, .*float64; got codes"),
        (["--queries", "1,0"], "must be a whole number, at least 1; got '0'"),
        (["--rows", "9"], "--k must be 1 to 9, the rows of the database; got 10"),
        (["--values", "64G"], "must be 1 to 512, or a multiple of it, .*; got '64G'"),
        (["--values", "513"], "got '513'"),
        (["--repeats", "0"], "must be a whole number, at least 1; got '0'"),
        (["--threads", "two"], "got 'two'"),
        (["--isa", "neon9"], "'neon9'"),
        (["--no-rivals", "--out", "/dev/null/results"], "--out /dev/null/results: "),
    ],
)
def test_a_wrong_option_is_told_with_what_is_allowed(
    given: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(given)
    assert re.search(message, capsys.readouterr().err)


def test_formats_are_taken_by_any_of_their_names_and_once() -> None:
    given = ["--format", "float4_e2m1fn,e4m3,E2M1,float8_e4m3fn"]
    assert command.make_parser().parse_args(given).format == [mf.E2M1, mf.E4M3]


def test_a_missing_package_is_told_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        command.main(["--op", "pack"])
    message = 'need tqdm, which is not installed; pip install "minifloat[bench]"'
    assert message in capsys.readouterr().err


def test_who_is_left_out_is_told_once_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(job: object) -> None:
        raise NotHereError("not on this processor")

    absent: Rival[Any] = Rival("torch else", ("search",), start, lambda job, run: None)
    monkeypatch.setattr(command, "_rivals", lambda ops: [absent])
    given = ["--op", "search", "--format", "e4m3,e2m1", "--rows", "300", "--repeats", "1"]
    assert command.main(given) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "torch" in line]
    assert told == ["left out, torch else: not on this processor"]
