import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

import minifloat as mf
from benchmarks.cases import Rival
from benchmarks.gpu import __main__ as command
from benchmarks.gpu import equality, registry, sanitizers, search_rivals, suite
from benchmarks.gpu.best import best_of, recall
from benchmarks.gpu.cases import Case, Entrant, Outcome, Setting, limit
from benchmarks.gpu.codec import CodecCase, CodecJob
from benchmarks.gpu.devices import Gpu, Processor
from benchmarks.gpu.equality import EqualityCase
from benchmarks.gpu.report import file_name
from benchmarks.gpu.search import SearchCase, SearchJob
from benchmarks.gpu.search_rivals import SEARCH_RIVALS
from minifloat.backends import implementation

ROOT = Path(__file__).parent.parent
SCALE = 100_000
SETTING = Setting(Processor(), ("cpu",), rounds=3)
FOREVER = float("inf")
TORCH_RIVALS = {"torch float16", "torch float8_e4m3fn", "torch int8"}
SEARCH = SearchCase(24, 208, 48, 5, (mf.E2M1, mf.E4M3), "read", side=32, rivals=SEARCH_RIVALS)


def run(out: Path, *given: str) -> tuple[int, dict[str, Any]]:
    status = command.main(["--device", "cpu", "--no-suite", "--out", str(out), *given])
    return status, json.loads(out.read_text())


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything, as the command writes it, at the smallest sizes."""
    out = tmp_path_factory.mktemp("gpu") / "results" / "cpu.json"
    status, found = run(out, "--scale", str(SCALE), "--rounds", "3", "--commit", "unknown")
    assert status == 0
    return found


def of(report: dict[str, Any], op: str) -> list[dict[str, Any]]:
    return [case for case in report["cases"] if case["op"] == op]


def test_a_report_holds_every_case_and_what_it_ran_on(report: dict[str, Any]) -> None:
    expected = registry.cases(SCALE)
    assert len(report["cases"]) == len(expected)
    for record, case in zip(report["cases"], expected, strict=True):
        assert record.items() >= {"op": case.op, **case.inputs}.items()
        assert record["failures"] == {}
        assert set(record["left_out"]) <= {"flashlib float16"}
        assert record["seconds"] > 0
    assert report["complete"]
    assert report["device"]["name"].startswith("cpu")
    assert report["commit"]
    assert report["backends"] == ["cpu"]
    versions = report["versions"]
    assert versions["minifloat"] == mf.__version__
    assert versions["torch"] == torch.__version__
    assert set(versions) >= {"python", "triton", "cuda", "driver"}
    assert "--scale" in report["command"]


def test_full_sizes_are_those_that_are_promised() -> None:
    cases = registry.cases(1)
    searches = [case for case in cases if isinstance(case, SearchCase)]
    assert {(c.queries, c.rows, c.dim, c.k) for c in searches if c.bound == "read"} == {
        (queries, 10_000_000, 256, 10) for queries in (1, 8, 64)
    }
    batches = {(c.queries, c.rows, c.dim, c.k) for c in searches if c.bound == "multiply"}
    assert batches == {(4096, 1_000_000, 256, 10)} | {
        (queries, 1_000_000, dim, k)
        for queries in (1024, 16384)
        for dim in (192, 256, 512)
        for k in (10, 100)
    }
    codecs = {(c.op, c.format, c.values) for c in cases if isinstance(c, CodecCase)}
    assert codecs == {(op, f, 2**28) for op in ("encode_pack", "decode") for f in mf.FORMATS}
    # float8 and int8 products need as much.
    assert all(case.rows % 16 == 0 and case.dim % 16 == 0 for case in searches)


def test_a_record_has_quartiles_rates_and_ratios_of_the_same_rounds(report: dict[str, Any]) -> None:
    contests = [case for case in report["cases"] if "minifloat" in case]
    assert len(contests) == len(report["cases"]) - 1
    for case in contests:
        assert case["rounds"] == 3
        assert case["minifloat"]
        for figures in (*case["minifloat"], *case["limits"].values(), *case["rivals"].values()):
            low, high = figures["quartiles_s"]
            assert 0 < low <= figures["median_s"] <= high
            if "bytes" in figures:
                rate = figures["bytes"] / figures["median_s"] / 1e9
                assert figures["gb_per_s"] == pytest.approx(rate)
        for ours in case["minifloat"]:
            assert ours["backend"] == "cpu"
            assert ours["ratios"] == {
                name: pytest.approx(rival["median_s"] / ours["median_s"])
                for name, rival in case["rivals"].items()
            }


def test_a_record_of_values_has_a_share_of_a_copy_and_casts(report: dict[str, Any]) -> None:
    for case in (*of(report, "encode_pack"), *of(report, "decode")):
        (ours,) = case["minifloat"]
        copy = case["limits"]["copy"]
        assert ours["share_of_copy"] == pytest.approx(copy["median_s"] / ours["median_s"])
        bits = getattr(mf, case["format"].upper()).bits
        coded = case["values"] * bits // 8 if case["op"] == "encode_pack" else case["values"]
        assert ours["bytes"] == copy["bytes"] == 4 * case["values"] + coded
        assert set(case["rivals"]) == ({"torch"} if case["format"] in ("e5m2", "e4m3") else set())


def test_a_record_of_a_search_has_recall_shares_and_every_rival(report: dict[str, Any]) -> None:
    searches = of(report, "search")
    for case in searches:
        assert set(case["rivals"]) >= TORCH_RIVALS
        for rival in case["rivals"].values():
            assert rival["recall"] > 0.7
        products = 2 * case["queries"] * case["rows"] * case["dim"]
        for ours in case["minifloat"]:
            assert 0.5 < ours["recall"] <= 1
            assert ours["tops"] == pytest.approx(products / ours["median_s"] / 1e12)
            shares = {name for name in ours if name.startswith("share_of_")}
            assert shares in ({"share_of_read"}, {"share_of_int8_peak", "share_of_float16_peak"})
    for case in searches[:4]:
        assert [ours["format"] for ours in case["minifloat"]] == [f.name for f in mf.FORMATS]
    reads = [limits for name, limits in searches[0]["limits"].items() if "4 bits" in name]
    (e2m1,) = (ours for ours in searches[0]["minifloat"] if ours["format"] == "e2m1")
    fastest = min(read["median_s"] for read in reads)
    assert e2m1["share_of_read"] == pytest.approx(fastest / e2m1["median_s"])


def test_a_record_of_host_memory_has_its_share_of_copying(report: dict[str, Any]) -> None:
    (case,) = of(report, "search of host memory")
    (ours,) = case["minifloat"]
    assert ours["bytes"] == case["rows"] * case["dim"]
    assert ours["share_of_copy_to_device"] > 0
    assert ours["recall"] > 0.5


def test_the_nearest_rows_of_host_memory_are_found_block_by_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmarks.gpu.host._BLOCK_ROWS", 48)
    (case,) = (c for c in registry.cases(SCALE) if c.op == "search of host memory")
    outcome = case.measure(SETTING, FOREVER)
    assert outcome.failures == {}
    assert outcome.found["minifloat"][0]["recall"] > 0.5


def test_equality_is_told_by_backend_and_format(report: dict[str, Any]) -> None:
    (case,) = of(report, "equality with the CPU")
    integers = [f.name for f in mf.FORMATS if f.lane != "float"]
    assert case["equal"] == {"cpu": dict.fromkeys(integers, True)}


def test_scores_that_differ_by_a_bit_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def off_by_a_bit(backend: str, operator: str) -> Callable[..., Any]:
        right = implementation("cpu", operator)
        if backend == "cpu":
            return right

        def wrong(*arguments: Any) -> torch.Tensor:
            scores: torch.Tensor = right(*arguments)
            scores.view(torch.int32)[0, 0] ^= 1
            return scores

        return wrong

    monkeypatch.setattr(equality, "implementation", off_by_a_bit)
    case = EqualityCase((mf.E2M1,), queries=3, rows=7, dim=16)
    outcome = case.measure(Setting(Processor(), ("cpu", "other"), 1), FOREVER)
    assert outcome.found == {"equal": {"cpu": {"e2m1": True}, "other": {"e2m1": False}}}
    assert outcome.failures == {"other e2m1": "1 of 21 scores differ from the CPU's"}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((None, torch.full((24, 5), -1)), "RivalError: recall 0.00 of the 5 nearest rows"),
        ((None, torch.zeros(24, 4)), r"RivalError: rows of shape \(24, 4\), not \(24, 5\)"),
    ],
)
def test_a_rival_that_finds_other_rows_is_refused_and_the_rest_is_timed(
    answer: object, message: str
) -> None:
    wrong = Rival("wrong", ("search",), lambda job: lambda: answer, SearchJob.check)
    outcome = replace(SEARCH, rivals=(wrong, *SEARCH_RIVALS)).measure(SETTING, FOREVER)
    assert set(outcome.failures) == {"wrong"}
    assert re.match(message, outcome.failures["wrong"])
    assert set(outcome.found["rivals"]) >= TORCH_RIVALS
    assert "wrong" not in outcome.found["rivals"]
    assert len(outcome.found["minifloat"]) == 2


@pytest.mark.parametrize("op", ["encode_pack", "decode"])
def test_a_cast_with_other_bytes_is_refused(op: str) -> None:
    def start(job: CodecJob) -> Callable[[], torch.Tensor]:
        right = job.run("cpu")()
        assert isinstance(right, torch.Tensor)
        # In the last row, which a kernel that stops early leaves out.
        right[-1, -1] += 1
        return lambda: right

    wrong = Rival("wrong", (op,), start, CodecJob.check)
    outcome = CodecCase(op, mf.E4M3, 512 * 20_000, (wrong,)).measure(SETTING, FOREVER)
    assert re.match(r"RivalError: [1-4] of .* bytes differ", outcome.failures["wrong"])
    assert outcome.found["rivals"] == {}
    assert len(outcome.found["minifloat"]) == 1


@pytest.mark.parametrize("scores", [(64, 2**20), (2000, 3000)])
@pytest.mark.parametrize("queries", [1, 24, 40])
def test_rivals_find_the_nearest_rows_in_tiles_of_any_size(
    queries: int, scores: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_rivals, "_TILE_SCORES", scores)
    outcome = replace(SEARCH, queries=queries).measure(SETTING, FOREVER)
    assert outcome.failures == {}
    rivals = outcome.found["rivals"]
    assert rivals["torch float16"]["recall"] > 0.9
    assert min(rivals[name]["recall"] for name in TORCH_RIVALS) > 0.7


@pytest.mark.parametrize("size", [1, 3, 16, 100])
def test_the_best_of_tiles_are_the_best_of_all(size: int) -> None:
    scores = torch.rand((4, 50), generator=torch.Generator().manual_seed(0))
    found = best_of(scores.split(size, 1), 7)
    for part, expected in zip(found, scores.topk(7), strict=True):
        assert torch.equal(part, expected)


def test_recall_is_the_share_of_exact_rows_that_were_found() -> None:
    exact = torch.tensor([[1, 2], [3, 4]])
    assert recall(exact.flip(1), exact) == 1
    assert recall(torch.tensor([[1, 1], [4, 9]]), exact) == 0.5
    assert recall(exact.flip(0), exact) == 0


@dataclass(frozen=True)
class Raising(Case):
    """A case that cannot be measured."""

    error: BaseException

    op = "nothing"

    @property
    def inputs(self) -> dict[str, int | str]:
        return {}

    def measure(self, setting: Setting, until: float) -> Outcome:
        raise self.error


def use(monkeypatch: pytest.MonkeyPatch, *cases: Case) -> None:
    monkeypatch.setattr(registry, "cases", lambda scale: list(cases))


def test_a_case_that_fails_is_recorded_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Raising(torch.OutOfMemoryError("too much\n of it"))
    use(monkeypatch, bad, SEARCH)
    status, report = run(tmp_path / "a.json")
    assert status == 1
    assert report["complete"]
    first, second = report["cases"]
    assert first["failures"] == {"all": "OutOfMemoryError: too much of it"}
    assert second["failures"] == {}
    assert second["minifloat"]
    assert "all failed: OutOfMemoryError: too much of it" in capsys.readouterr().out


def test_an_entrant_that_fails_late_is_recorded_and_the_rest_is_timed() -> None:
    def start(job: SearchJob) -> Callable[[], object]:
        answers = iter([job.run("cpu", mf.E4M3)()] * 3)
        # Its check takes the first of them, and the last is gone after two rounds.
        return answers.__next__

    late = Rival("late", ("search",), start, SearchJob.check)
    outcome = replace(SEARCH, rivals=(late,)).measure(SETTING, FOREVER)
    assert outcome.failures == {"late": "StopIteration:"}
    assert outcome.found["rivals"] == {}
    assert outcome.found["rounds"] == 3
    assert len(outcome.found["minifloat"]) == 2


def test_an_interruption_keeps_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, SEARCH, Raising(KeyboardInterrupt()), SEARCH)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a.json")
    report = json.loads((tmp_path / "a.json").read_text())
    assert not report["complete"]
    assert [case["op"] for case in report["cases"]] == ["search"]
    assert report["cases"][0]["minifloat"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_case_without_time_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, SEARCH)
    status, report = run(tmp_path / "a.json", "--minutes", "1e-6")
    assert status == 1
    assert report["cases"][0]["failures"] == {"all": "no time was left of 0 s"}


def test_a_late_case_gets_three_rounds() -> None:
    outcome = SEARCH.measure(Setting(Processor(), ("cpu",), rounds=9), until=0.0)
    assert outcome.found["rounds"] == 3


def test_a_rival_that_is_not_installed_is_left_out_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search_rivals, "find_spec", lambda name: None)
    outcome = SEARCH.measure(SETTING, FOREVER)
    message = "flashlib is not installed; pip install flashlib"
    assert outcome.left_out == {"flashlib float16": message}
    assert outcome.failures == {}


def test_a_limit_has_the_rates_of_what_it_does() -> None:
    product = limit("product", lambda: lambda: None, operations=3 * 10**12)
    assert product.rates(0.5) == {"tops": 6.0}
    assert Entrant("read", lambda: None, lambda run: None, bytes=10**9).rates(2) == {
        "gb_per_s": 0.5
    }


SUITE = """
import pytest, time

def test_one_gpu(): pass
def test_two_gpu(): assert False
def test_three_gpu(): pytest.skip()
def test_four(): assert False
"""


def test_a_suite_is_counted_and_its_failures_are_named(tmp_path: Path) -> None:
    tests = tmp_path / "test_small.py"
    tests.write_text(SUITE)
    found = suite.run_suite(60, [str(tests), "absent.py"], "gpu")
    counts = {name: found[name] for name in ("passed", "failed", "errors", "skipped")}
    assert counts == {"passed": 1, "failed": 1, "errors": 0, "skipped": 1}
    assert [name.split(".")[-1] for name in found["first_failed"]] == ["test_two_gpu"]
    assert found["absent_files"] == ["absent.py"]
    assert found["failure"].startswith("pytest's exit status is 1")
    assert found["seconds"] > 0


def test_a_suite_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    tests = tmp_path / "test_long.py"
    tests.write_text("import time\n\n\ndef test_gpu(): time.sleep(60)\n")
    found = suite.run_suite(1, [str(tests)], "gpu")
    assert found["failure"].startswith("stopped after 1 s")
    assert found["seconds"] < 30


def test_a_suite_without_tests_or_packages_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "find_spec", lambda n: None if n == "gfloat" else find_spec(n))
    found = suite.run_suite(60, ["absent.py"], "gpu")
    assert found["missing"] == ["gfloat"]
    assert found["failure"] == "no test ran; missing: gfloat (pip install gfloat)"


def test_a_failing_suite_is_in_the_report_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, SEARCH)
    monkeypatch.setattr(command, "run_suite", lambda seconds: {"failure": "one", "passed": 2})
    out = tmp_path / "a.json"
    assert command.main(["--device", "cpu", "--out", str(out)]) == 1
    report = json.loads(out.read_text())
    assert report["suite"] == {"failure": "one", "passed": 2}
    assert report["cases"][0]["minifloat"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--minutes", "0"], "must be a number above 0; got '0'"),
        (["--minutes", "soon"], "must be a number above 0; got 'soon'"),
        (["--scale", "0"], "must be a whole number, at least 1; got '0'"),
        (["--only", "nothing"], "--only must be in the name of a case; got 'nothing'"),
        (["--backend", "cpu,vulkan"], "--backend must name backends; got 'vulkan'"),
        (["--out", "/dev/null/a.json"], "--out /dev/null/a.json: "),
    ],
)
def test_a_wrong_option_is_told_with_what_is_allowed(
    given: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["--device", "cpu", "--no-suite", *given])
    assert message in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_the_command_says_what_can_be_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main([])
    assert "torch finds no GPU here; --device cpu" in capsys.readouterr().err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_has_a_clock_and_counts_memory() -> None:
    device = Gpu()
    source = torch.ones(2**24, dtype=torch.uint8, device=device.torch)
    assert 0 < device.seconds(source.clone) < 1
    assert device.peak_bytes(source.clone) == source.nbytes


def test_a_file_is_named_by_the_device() -> None:
    assert file_name("NVIDIA H200") == "nvidia-h200.json"


def test_the_script_names_what_python_lacks_and_the_command_that_gets_it(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    found = subprocess.run(
        [ROOT / "scripts" / "gpu"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHON": str(bare)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2
    names = "setuptools pybind11 numpy safetensors torch"
    assert found.stderr == f"{bare} lacks: {names}; {bare} -m pip install {names}\n"


def sanitizer(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "compute-sanitizer"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_sanitizers_run_every_tool_and_tell_what_they_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Called as: --tool NAME --error-exitcode 99 COMMAND
    script = 'echo "ERROR SUMMARY: 1 error in $5"; test $2 != racecheck || exit $4'
    sanitizer(tmp_path, script, monkeypatch)
    found = sanitizers.run_sanitizers(60, ["check"])
    assert [result["tool"] for result in found] == ["memcheck", "racecheck", "synccheck"]
    assert {result["summary"] for result in found} == {"ERROR SUMMARY: 1 error in check"}
    failures = [result["failure"] for result in found]
    assert failures == [None, "exit status 99\nERROR SUMMARY: 1 error in check", None]


def test_a_sanitizer_that_takes_too_long_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sanitizer(tmp_path, "exec sleep 60", monkeypatch)
    found = sanitizers.run_sanitizers(0, ["check"])
    assert {result["failure"] for result in found} == {"stopped after 1 s"}


def test_without_a_sanitizer_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    for found in sanitizers.run_sanitizers(60):
        assert found["failure"] is None
        assert "not on the PATH" in found["left_out"]


def test_what_sanitizers_run_calls_every_operator() -> None:
    command = [sys.executable, "tests/device_check.py", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[0]) > 6 * 11
