import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import minifloat as mf
from benchmarks import __main__ as command
from benchmarks.cases import DIM, FLOATS, OPS, Case, Job, cases, make_input
from benchmarks.limits import LEAST_BYTES, copies
from benchmarks.record import measure
from benchmarks.rivals import RIVALS, Rival, RivalError, checked_runs
from benchmarks.table import table
from minifloat import _C

ALL = cases(OPS, mf.FORMATS, FLOATS, [7, 2 * DIM])


@pytest.fixture(autouse=True)
def _same_threads_and_isa_afterwards() -> Iterator[None]:
    threads, isa = torch.get_num_threads(), _C.isa()
    yield
    torch.set_num_threads(threads)
    _C.set_isa(isa)


def job_of(case: Case) -> tuple[Job, torch.Tensor]:
    x = make_input(case)
    expected = case.op.call(Job(case, x, out=x))()
    assert isinstance(expected, torch.Tensor)
    return Job(case, x, expected.clone()), expected


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_kernel_writes_what_the_call_returns(case: Case) -> None:
    job, expected = job_of(case)
    job.out.zero_()
    case.op.kernel(job)()
    assert torch.equal(job.out, expected)


@pytest.mark.parametrize("source", FLOATS)
def test_inputs_are_finite_in_range_and_reach_its_ends(source: str) -> None:
    for case in cases(OPS[:1], mf.FORMATS, [source], [64 * DIM]):
        x = make_input(case)
        assert x.dtype == getattr(torch, source)
        assert x.shape == case.shape
        assert [float(x.min()), float(x.max())] == [-case.format.max, case.format.max]


@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")
@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_a_rival_gives_the_same_answer(rival: Rival) -> None:
    pytest.importorskip(rival.name)
    served = [case for case in ALL if checked_runs((rival,), *job_of(case))]
    assert {case.op.name for case in served} == set(rival.ops)
    assert {case.scope for case in served} == {"call", "kernel"}


def test_a_rival_with_another_answer_is_refused() -> None:
    wrong = Rival("wrong", ("pack",), lambda job: lambda: None, RIVALS[0].difference)
    (case,) = (c for c in ALL if str(c) == "pack e2m1 from codes, 1024 values, kernel")
    with pytest.raises(RivalError, match=rf"^wrong gives another answer for {case}: 512 of 512"):
        checked_runs((wrong,), *job_of(case))


def test_a_copy_moves_the_bytes_asked_for_and_few_bytes_have_none() -> None:
    assert copies(LEAST_BYTES - 1) == {}
    for run in copies(LEAST_BYTES).values():
        run()


def test_a_table_has_a_line_for_each_result() -> None:
    results = [measure(case, (), repeats=1) for case in ALL[:2]]
    heading, *lines = table(results).splitlines()
    assert heading.startswith("op ")
    assert len(lines) == 2


def test_every_operation_yields_a_complete_json_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results" / "all.jsonl"
    given = ["--values", "16K,192", "--format", "e2m1", "--repeats", "2", "--threads", "2"]
    assert command.main([*given, "--no-rivals", "--out", str(out)]) == 0
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert {(r["op"], r["scope"]) for r in records} == {
        (op.name, scope) for op in OPS for scope in ("call", "kernel")
    }
    for record in records:
        low, high = record["quartiles_s"]
        assert 0 < low <= record["median_s"] <= high
        assert record["values"] == record["shape"][0] * record["shape"][1]
        assert (record["share_of_copy"] is None) == (record["bytes"] < LEAST_BYTES)
        assert record["threads"] == 2
        assert record["versions"]["minifloat"] == mf.__version__
        assert record["machine"]["cpu"]
        assert str(out) in record["command"]
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(records)


@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")
def test_a_record_holds_the_times_of_rivals() -> None:
    case = next(case for case in ALL if case.op.name == "encode" and case.format.bits == 8)
    result = measure(case, RIVALS[:1], repeats=2)
    (rival,) = json.loads(result.line("benchmark"))["rivals"].values()
    assert rival["ratio"] == pytest.approx(rival["median_s"] / result.ours.median_s)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--op", "encode,cast"], "must be one of encode, decode, .*; got 'cast'"),
        (["--format", "e4m4"], "must be one of e5m2, .*; got 'e4m4'"),
        (["--source", "int8"], "must be one of float16, .*; got 'int8'"),
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


def test_a_missing_package_is_told_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        command.main(["--op", "pack"])
    message = 'need tqdm, which is not installed; pip install "minifloat[bench]"'
    assert message in capsys.readouterr().err
