import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import minifloat as mf
from benchmarks import __main__ as command
from benchmarks.cases import FLOATS, Rival, RivalError, Run, Sizes, checked, package
from benchmarks.elementwise import DIM, ElementwiseCase, Job, make_input
from benchmarks.instructions import __main__ as instructions
from benchmarks.limits import LEAST_BYTES, copies, reads
from benchmarks.options import make_parser
from benchmarks.record import measure
from benchmarks.registry import OPS, RIVALS, SOURCES, cases
from benchmarks.scoring import Scoring, ScoringCase, as_near, recall
from benchmarks.table import table
from minifloat import _C

SIZES = Sizes(values=[7, 2 * DIM], queries=[1, 3], rows=300, dim=40, k=5)
ALL = cases(OPS, mf.FORMATS, SOURCES, SIZES)
ELEMENTWISE = [case for case in ALL if isinstance(case, ElementwiseCase)]
SCORING = [case for case in ALL if isinstance(case, ScoringCase)]


@pytest.fixture(autouse=True)
def _same_threads_and_isa_afterwards() -> Iterator[None]:
    threads, isa = torch.get_num_threads(), _C.isa()
    yield
    torch.set_num_threads(threads)
    _C.set_isa(isa)


@pytest.mark.parametrize("case", ELEMENTWISE, ids=str)
def test_prepared_work_gives_the_answer_from_memory_that_it_keeps(case: ElementwiseCase) -> None:
    work = case.prepare(())
    job = work.job
    assert isinstance(job, Job)
    job.out.zero_()
    returned = work.ours.run()
    assert torch.equal(returned if isinstance(returned, torch.Tensor) else job.out, job.expected)
    assert isinstance(returned, torch.Tensor) == job.allocates


@pytest.mark.parametrize("source", FLOATS)
def test_inputs_are_finite_in_range_and_reach_its_ends(source: str) -> None:
    sizes = replace(SIZES, values=[64 * DIM])
    for case in cases(OPS[:1], mf.FORMATS, [source], sizes):
        assert isinstance(case, ElementwiseCase)
        x = make_input(case)
        assert x.dtype == getattr(torch, source)
        assert x.shape == case.shape
        assert [float(x.min()), float(x.max())] == [-case.format.max, case.format.max]


@pytest.mark.parametrize("case", SCORING, ids=str)
def test_scores_and_search_find_the_same_rows_and_most_of_the_nearest(case: ScoringCase) -> None:
    job = case.job()
    scores, search = (op for op in OPS if isinstance(op, Scoring))
    best, found = (op.nearest(job, op.call(job)()) for op in (scores, search))
    assert recall(job, found) >= 0.6
    order = mf.scores(job.read, job.database)
    assert torch.equal(order.gather(1, best), order.gather(1, found))


def test_queries_packed_like_the_database_are_a_source_of_scores_and_search() -> None:
    read = {(case.op.name, case.source): case.job().read for case in SCORING}
    for (_, source), queries in read.items():
        assert isinstance(queries, mf.PackedVectors) == (source == "codes")
    assert set(read) == {(op, source) for op in ("scores", "search") for source in SOURCES}


def test_recall_is_the_share_of_the_nearest_rows_that_were_found() -> None:
    case = next(case for case in SCORING if case.queries == 3)
    job = case.job()
    exact = (job.queries.double() @ job.rows.double().T).argsort(1, descending=True)
    assert recall(job, exact[:, :5]) == 1
    assert recall(job, exact[:, 2:7]) == pytest.approx(3 / 5)
    assert recall(job, exact[:, 5:10]) == 0
    assert recall(job, exact[:, :1].expand(-1, 5)) == pytest.approx(1 / 5)
    assert recall(job, torch.full((3, 5), -1)) == 0


def test_a_row_that_ties_with_the_last_of_the_nearest_counts_as_found() -> None:
    rows = torch.randn((40, 16), generator=torch.Generator().manual_seed(0)).repeat(30, 1)
    copies = torch.arange(3)[:, None] + 40 * torch.arange(30)
    near, others = copies[:, :5], copies[:, 20:25]
    assert as_near(rows, rows[:3], others, near) == others.numel()
    assert as_near(rows, rows[:3], others + 3, near) == 0


@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")
@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: "-".join([rival.name, *rival.ops]))
def test_a_rival_gives_the_same_answer_or_finds_the_nearest_rows(rival: Rival[Any]) -> None:
    pytest.importorskip(package(rival.name))
    served = set()
    for case in ALL:
        assert isinstance(case, ElementwiseCase | ScoringCase)
        for contender in checked((rival,), case, case.job()).values():
            assert (contender.recall is None) == isinstance(case, ElementwiseCase)
            served.add((case.op.name, case.inputs.get("scope")))
    scopes = ("call", "kernel") if served & {(op, "call") for op in rival.ops} else (None,)
    assert served == {(op, scope) for op in rival.ops for scope in scopes}


def test_a_rival_with_another_answer_is_refused() -> None:
    wrong = Rival("wrong", ("pack",), lambda job: lambda: None, RIVALS[0].check)
    name = "pack e2m1 from codes, scope kernel, values 1024"
    (case,) = (case for case in ELEMENTWISE if str(case) == name)
    with pytest.raises(RivalError, match=rf"^wrong gives another answer for {case}: 512 of 512"):
        checked((wrong,), case, case.job())


def test_a_rival_that_finds_other_rows_than_the_nearest_is_refused() -> None:
    case = next(case for case in SCORING if case.op.name == "search")
    (rival,) = (rival for rival in RIVALS if (rival.name, rival.ops) == ("torch", ("search",)))
    none_right = torch.full((case.queries, case.k), -1)
    wrong = replace(rival, name="wrong", start=lambda job: lambda: (none_right, none_right))
    with pytest.raises(
        RivalError, match=r"^wrong .*: recall 0\.00 of the 5 nearest rows, below 0\.2"
    ):
        checked((wrong,), case, case.job())


@pytest.mark.parametrize("limit", [copies, reads])
def test_a_limit_runs_and_few_bytes_have_none(limit: Callable[[int], dict[str, Run]]) -> None:
    assert limit(LEAST_BYTES - 1) == {}
    for run in limit(LEAST_BYTES).values():
        run()


def test_a_table_has_a_heading_for_each_kind_of_case_and_a_line_for_each_result() -> None:
    results = [measure(case, (), repeats=1) for case in (*ALL[:2], *ALL[-2:])]
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
    assert {record["op"] for record in records} == {op.name for op in OPS}
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
        (case.op.name, scope) for case in ELEMENTWISE for scope in ("call", "kernel")
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


@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")
@pytest.mark.parametrize("op", ["encode", "search"])
def test_a_record_holds_the_times_of_rivals(op: str) -> None:
    case = next(case for case in ALL if case.op.name == op and case.format.bits == 8)
    torch_only = [rival for rival in RIVALS if rival.name == "torch"]
    result = measure(case, torch_only, repeats=2)
    (rival,) = json.loads(result.line("benchmark"))["rivals"].values()
    assert rival["ratio"] == pytest.approx(rival["median_s"] / result.seconds)
    assert rival.get("recall") == (1 if op == "search" else None)


@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")
def test_a_record_keeps_two_ways_of_one_package_apart_and_has_its_version_once() -> None:
    case = next(case for case in ALL if case.op.name == "search")
    of_torch = [rival for rival in RIVALS if package(rival.name) == "torch"]
    record = json.loads(measure(case, of_torch, repeats=1).line("benchmark"))
    assert set(record["rivals"]) == {"torch", "torch bfloat16"}
    assert set(record["versions"]) == {"python", "minifloat", "numpy", "torch"}


def test_a_call_of_each_operation_and_format_is_counted_without_torch() -> None:
    program = [sys.executable, "-c", "import sys, benchmarks.instructions.counted as c; c.main()"]
    program[-1] += "; sys.exit('torch' in sys.modules)"
    lines = subprocess.run(program, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    calls = [json.loads(line) for line in lines]
    kinds = {(call["isa"], call["format"]) for call in calls}
    assert kinds == {(isa, f.name) for isa in _C.available_isas() for f in mf.FORMATS}
    assert len(calls) == len(kinds) * len({call["op"] for call in calls})
    assert {call["op"].split()[0] for call in calls} <= {op.name for op in OPS}


def test_a_count_that_has_grown_or_is_new_is_told() -> None:
    recorded = {"avx2": {"encode": {"e5m2": 2.0, "e4m3": 2.0}}}
    counts = {"avx2": {"encode": {"e5m2": 2.1, "e4m3": 1.0}}}
    assert instructions.growth(recorded, counts) == []
    counts["avx2"]["encode"] |= {"e4m3": 2.2, "e2m1": 1.0}
    assert [line.split() for line in instructions.growth(recorded, counts)] == [
        ["isa", "op", "format", "recorded", "now", "change"],
        ["avx2", "encode", "e4m3", "2", "2.2", "+10.0%"],
        ["avx2", "encode", "e2m1", "none", "1"],
    ]


def test_a_count_without_valgrind_is_told_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        instructions.main([])
    assert "valgrind is not installed; apt-get install valgrind" in capsys.readouterr().err


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
    assert make_parser().parse_args(given).format == [mf.E2M1, mf.E4M3]


def test_a_missing_package_is_told_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        command.main(["--op", "pack"])
    message = 'need tqdm, which is not installed; pip install "minifloat[bench]"'
    assert message in capsys.readouterr().err
