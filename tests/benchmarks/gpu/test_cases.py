import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import minifloat as mf
from benchmarks.codec import CodecJob
from benchmarks.gpu import groups
from benchmarks.gpu.cases import digests, equality, host
from benchmarks.gpu.cases.calls import CALLS, FLOAT_SEARCH, FRAME_SEARCH, CallCase
from benchmarks.gpu.cases.codec import DeviceCodecCase
from benchmarks.gpu.cases.digests import DigestCase
from benchmarks.gpu.cases.equality import ScoresEquality
from benchmarks.gpu.cases.search import DeviceSearchCase
from benchmarks.gpu.devices import Gpu
from benchmarks.harness.case import Outcome, Setting
from benchmarks.harness.contest import Entrant, limit
from benchmarks.harness.device import Processor
from benchmarks.harness.rival import Rival, RivalError
from benchmarks.rivals import RIVALS, flashlib
from benchmarks.rivals import torch as torch_rivals
from benchmarks.search import DeviceSearchJob, finds, found_rows
from minifloat.backends import implementation

SETTING = Setting(Processor(), 3, ("cpu",), RIVALS)
FOREVER = float("inf")
TORCH_RIVALS = {"torch float16", "torch float8_e4m3fn", "torch int8"}
SEARCH = DeviceSearchCase(24, 208, 48, 5, (mf.E2M1, mf.E4M3), "read", side=32)


def beside(*rivals: Rival[Any]) -> Outcome:
    """What the search finds beside these."""
    return SEARCH.measure(replace(SETTING, rivals=rivals), FOREVER)


def test_full_sizes_are_those_that_are_promised() -> None:
    cases = groups.bars(1)
    searches = [case for case in cases if isinstance(case, DeviceSearchCase)]
    by_op: dict[str, set[tuple[int, ...]]] = {}
    for c in searches:
        by_op.setdefault(f"{c.op}, {c.bound}", set()).add((c.queries, c.rows, c.dim, c.k))
    assert by_op["search, read"] == {
        (queries, 10_000_000, 256, 10) for queries in (1, 8, 9, 16, 32, 64)
    }
    assert by_op["search, multiply"] == {
        (queries, 1_000_000, 256, k) for queries in (1024, 4096, 16384) for k in (10, 100)
    } | {(1024, 1_000_000, dim, k) for dim in (192, 512, 768, 1024, 1536) for k in (10, 100)}
    assert by_op[f"{FLOAT_SEARCH}, read"] == {(1, 1_000_000, 256, 10)}
    assert {c.axes for c in searches if isinstance(c, CallCase) and c.op == FRAME_SEARCH} == {1, 4}
    assert set(by_op) >= {f"{op}, read" for op in CALLS}
    codecs = {(c.op, c.format, c.values) for c in cases if isinstance(c, DeviceCodecCase)}
    assert codecs == {(op, f, 2**28) for op in ("encode_pack", "decode") for f in mf.FORMATS}
    # float8 and int8 products need as much.
    assert all(case.rows % 16 == 0 and case.dim % 16 == 0 for case in searches)


def test_the_nearest_rows_of_host_memory_are_found_block_by_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "_BLOCK_ROWS", 48)
    case = host.HostCase(mf.E4M3, 7, 300, 40, 5)
    outcome = case.measure(SETTING, FOREVER)
    assert outcome.failures == {}
    assert outcome.found["minifloat"][0]["recall"] > 0.5
    job = case.job(SETTING.device)
    rows = torch.cat(list(job.rows.blocks()))
    assert torch.equal(job.exact, (job.queries @ rows.T).topk(5).indices)
    found = job.exact.clone()
    found[:, 0] = -1
    found[:, 1] = 300
    assert job.check(lambda: (None, found)) == pytest.approx(3 / 5)
    assert job.check(lambda: (None, job.exact.flip(1))) == 1
    with pytest.raises(RivalError, match=r"recall 0\.00 of the 5 nearest rows"):
        job.check(lambda: (None, found.fill_(-1)))


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
    outcome = case.measure(Setting(Processor(), 1, ("cpu", "other")), FOREVER)
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
    outcome = DigestCase(mf.E5M2, 3000).measure(Setting(Processor(), 1, ("other",)), FOREVER)
    place = "0x000009c4, saturate=True: 0x01 instead of 0x00"
    assert outcome.failures == {"other": f"2 codes differ from the CPU's, {place}"}


def test_a_digest_is_the_recorded_one_or_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(digests, "PATTERNS", 3000)
    setting = Setting(Processor(), 1, ("cpu",))
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
    outcome = beside(
        Rival("wrong", ("search",), lambda job: lambda: answer, finds(found_rows), "cuda"), *RIVALS
    )
    assert set(outcome.failures) == {"wrong"}
    assert re.match(message, outcome.failures["wrong"])
    assert set(outcome.found["rivals"]) >= TORCH_RIVALS
    assert "wrong" not in outcome.found["rivals"]
    assert len(outcome.found["minifloat"]) == 2


@pytest.mark.parametrize("op", ["encode_pack", "decode"])
def test_a_cast_with_other_bytes_is_refused(op: str) -> None:
    case = DeviceCodecCase(op, mf.E4M3, 512 * 20_000)

    def start(job: CodecJob) -> Callable[[], torch.Tensor]:
        right = case.run("cpu", job.x)()
        assert isinstance(right, torch.Tensor)
        # In the last row, which a kernel that stops early leaves out.
        right[-1, -1] += 1
        return lambda: right

    wrong = Rival("wrong", (op,), start, CodecJob.check, "cuda")
    outcome = case.measure(replace(SETTING, rivals=(wrong,)), FOREVER)
    assert re.match(r"RivalError: [1-4] of .* bytes differ", outcome.failures["wrong"])
    assert outcome.found["rivals"] == {}
    assert len(outcome.found["minifloat"]) == 1


@pytest.mark.parametrize("scores", [(64, 2**20), (2000, 3000)])
@pytest.mark.parametrize("queries", [1, 24, 40])
def test_rivals_find_the_nearest_rows_in_tiles_of_any_size(
    queries: int, scores: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_rivals, "_TILE_SCORES", scores)
    outcome = replace(SEARCH, queries=queries).measure(SETTING, FOREVER)
    assert outcome.failures == {}
    rivals = outcome.found["rivals"]
    assert rivals["torch float16"]["recall"] > 0.9
    assert min(rivals[name]["recall"] for name in TORCH_RIVALS) > 0.7


def test_an_entrant_that_fails_late_is_recorded_and_the_rest_is_timed() -> None:
    def start(job: DeviceSearchJob) -> Callable[[], object]:
        answers = iter([SEARCH.run(job, "cpu", mf.E4M3)()] * 3)
        # Its check takes the first of them, and the last is gone before the rounds are over.
        return answers.__next__

    outcome = beside(Rival("late", ("search",), start, finds(found_rows), "cuda"))
    assert outcome.failures == {"late": "StopIteration:"}
    assert outcome.found["rivals"] == {}
    assert outcome.found["rounds"] == 3
    assert len(outcome.found["minifloat"]) == 2


def test_a_late_case_gets_three_rounds() -> None:
    outcome = SEARCH.measure(Setting(Processor(), 9, ("cpu",)), until=0.0)
    assert outcome.found["rounds"] == 3


def test_a_rival_that_is_not_installed_is_left_out_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flashlib, "find_spec", lambda name: None)
    outcome = SEARCH.measure(SETTING, FOREVER)
    message = "flashlib is not installed; pip install flashlib"
    assert outcome.left_out == {"flashlib float16": message}
    assert outcome.failures == {}


def test_a_limit_has_the_rates_of_what_it_does() -> None:
    product = limit("product", lambda: lambda: None, work={"tops": 3.0})
    assert product.rates(0.5) == {"tops": 6.0}
    assert Entrant("read", lambda: None, lambda run: None, bytes=10**9).rates(2) == {
        "gb_per_s": 0.5
    }


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_has_a_clock_and_counts_memory() -> None:
    device = Gpu()
    source = torch.ones(2**24, dtype=torch.uint8, device=device.torch)
    assert 0 < device.clock(source.clone)() < 1
    assert device.peak_bytes(source.clone) == source.nbytes
