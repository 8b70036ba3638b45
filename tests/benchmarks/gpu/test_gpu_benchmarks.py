import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import minifloat as mf
from benchmarks.cases import Rival
from benchmarks.gpu import __main__ as command
from benchmarks.gpu import digests, equality, registry, search_rivals
from benchmarks.gpu.best import best_of, recall
from benchmarks.gpu.cases import Entrant, Setting, limit
from benchmarks.gpu.codec import CodecCase, CodecJob
from benchmarks.gpu.devices import Gpu, Processor
from benchmarks.gpu.digests import DigestCase
from benchmarks.gpu.equality import ScoresEquality
from benchmarks.gpu.search import SearchCase, SearchJob
from benchmarks.gpu.search_rivals import SEARCH_RIVALS
from minifloat.backends import implementation

SCALE = 100_000
SETTING = Setting(Processor(), ("cpu",), rounds=3)
FOREVER = float("inf")
TORCH_RIVALS = {"torch float16", "torch float8_e4m3fn", "torch int8"}
SEARCH = SearchCase(24, 208, 48, 5, (mf.E2M1, mf.E4M3), "read", side=32, rivals=SEARCH_RIVALS)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command measures, as it writes it, at the smallest sizes."""
    out = tmp_path_factory.mktemp("gpu") / "results"
    steps = "launch,equality,digests,bars"
    given = ["--device", "cpu", "--scale", str(SCALE), "--rounds", "3", "--commit", "unknown"]
    assert command.main([*given, "--steps", steps, "--out", str(out)]) == 0
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    return found


def of(report: dict[str, Any], op: str) -> list[dict[str, Any]]:
    items = (step["items"].values() for step in report["steps"].values())
    return [record for records in items for record in records if record["op"] == op]


@pytest.mark.long
def test_a_report_holds_every_case_and_what_it_ran_on(report: dict[str, Any]) -> None:
    assert list(report["steps"]) == list(registry.GROUPS)
    for group, cases in registry.GROUPS.items():
        step = report["steps"][group]
        expected = {str(case): case for case in reversed(cases(SCALE))}
        assert set(step["items"]) == set(expected)
        for name, case in expected.items():
            record = step["items"][name]
            assert record.items() >= {"op": case.op, **case.inputs}.items()
            assert record["failures"] == {}
            assert set(record["left_out"]) <= {"flashlib float16"}
            assert record["seconds"] >= 0
        assert (step["ended"], step["left_out"]) == (None, [])
        facts = step["facts"]
        assert facts["device"]["name"].startswith("cpu")
        versions = facts["versions"]
        assert versions["minifloat"] == mf.__version__
        assert versions["torch"] == torch.__version__
        assert set(versions) >= {"python", "triton", "cuda", "driver"}
    assert report["complete"]
    assert report["commit"]
    assert "--scale" in report["command"]


def test_full_sizes_are_those_that_are_promised() -> None:
    cases = registry.bars(1)
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


@pytest.mark.long
def test_a_record_has_quartiles_rates_and_ratios_of_the_same_rounds(report: dict[str, Any]) -> None:
    contests = report["steps"]["bars"]["items"].values()
    assert len(contests) > 12
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


@pytest.mark.long
def test_a_record_of_values_has_a_share_of_a_copy_and_casts(report: dict[str, Any]) -> None:
    for case in (*of(report, "encode_pack"), *of(report, "decode")):
        (ours,) = case["minifloat"]
        copy = case["limits"]["copy"]
        assert ours["share_of_copy"] == pytest.approx(copy["median_s"] / ours["median_s"])
        bits = getattr(mf, case["format"].upper()).bits
        coded = case["values"] * bits // 8 if case["op"] == "encode_pack" else case["values"]
        assert ours["bytes"] == copy["bytes"] == 4 * case["values"] + coded
        assert set(case["rivals"]) == ({"torch"} if case["format"] in ("e5m2", "e4m3") else set())


@pytest.mark.long
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
    for case in searches[:1]:
        assert [ours["format"] for ours in case["minifloat"]] == [f.name for f in mf.FORMATS]
    reads = [limits for name, limits in searches[0]["limits"].items() if "4 bits" in name]
    (e2m1,) = (ours for ours in searches[0]["minifloat"] if ours["format"] == "e2m1")
    fastest = min(read["median_s"] for read in reads)
    assert e2m1["share_of_read"] == pytest.approx(fastest / e2m1["median_s"])


@pytest.mark.long
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
    (case,) = (c for c in registry.bars(SCALE) if c.op == "search of host memory")
    outcome = case.measure(SETTING, FOREVER)
    assert outcome.failures == {}
    assert outcome.found["minifloat"][0]["recall"] > 0.5


@pytest.mark.long
def test_equality_is_told_by_backend_and_format(report: dict[str, Any]) -> None:
    (case,) = of(report, "scores equal to the CPU's")
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
    case = ScoresEquality((mf.E2M1,), queries=3, rows=7, dim=16)
    outcome = case.measure(Setting(Processor(), ("cpu", "other"), 1), FOREVER)
    assert outcome.found == {"equal": {"cpu": {"e2m1": True}, "other": {"e2m1": False}}}
    assert outcome.failures == {"other e2m1": "1 of 21 differ from the CPU's"}


def test_a_code_that_differs_is_told_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(backend: str, operator: str) -> Callable[..., Any]:
        right = implementation("cpu", operator)

        def call(x: torch.Tensor, *rest: Any) -> torch.Tensor:
            codes: torch.Tensor = right(x, *rest)
            return codes ^ (x.view(torch.int32) == 2500) if backend == "other" else codes

        return call

    monkeypatch.setattr(digests, "implementation", wrong)
    monkeypatch.setattr(digests, "_CHUNK", 1000)
    outcome = DigestCase(mf.E5M2, 3000).measure(Setting(Processor(), ("other",), 1), FOREVER)
    place = "0x000009c4, saturate=True: 0x01 instead of 0x00"
    assert outcome.failures == {"other": f"2 codes differ from the CPU's, {place}"}


def test_a_digest_is_the_recorded_one_or_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(digests, "PATTERNS", 3000)
    setting = Setting(Processor(), ("cpu",), 1)
    case = DigestCase(mf.E5M2, 3000)
    (failure,) = case.measure(setting, FOREVER).failures.values()
    assert failure == "the digest is not the one in tests/proofs/digests.json"
    digest = case.measure(setting, FOREVER).found["digests"]["cpu"]
    recorded = tmp_path / "digests.json"
    recorded.write_text(json.dumps({"e5m2": digest}))
    monkeypatch.setattr(digests, "RECORDED", recorded)
    assert case.measure(setting, FOREVER).failures == {}


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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_has_a_clock_and_counts_memory() -> None:
    device = Gpu()
    source = torch.ones(2**24, dtype=torch.uint8, device=device.torch)
    assert 0 < device.seconds(source.clone) < 1
    assert device.peak_bytes(source.clone) == source.nbytes
