from collections.abc import Callable
from typing import Any

import pytest
import torch

import minifloat as mf
from benchmarks.codec import DIM, OPS, CodecCase, CodecJob
from benchmarks.harness.calls import FLOATS, Sizes
from benchmarks.harness.case import Setting
from benchmarks.harness.contest import Entrant
from benchmarks.harness.device import Processor
from benchmarks.harness.limits import LEAST_BYTES, copies, reads
from benchmarks.harness.rival import Rival, RivalError
from benchmarks.registry import SOURCES, cases

ALONE = Setting(Processor(), rounds=1, strict=True)


def sized(values: list[int], ops: list[str], sources: tuple[str, ...]) -> list[CodecCase]:
    sizes = Sizes(values, queries=[], rows=1, dim=1, k=1)
    made = cases([OPS[op] for op in ops], mf.FORMATS, sources, sizes)
    return [case for case in made if isinstance(case, CodecCase)]


CASES = sized([7, 2 * DIM], list(OPS), SOURCES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_minifloat_gives_the_answer_in_memory_that_the_contest_keeps(case: CodecCase) -> None:
    contest = case.contest(ALONE)
    job, (ours,) = contest.job, contest.ours
    assert isinstance(job, CodecJob)
    run = ours.start()
    assert run is not None
    ours.check(run)
    if job.out is not None:
        job.out.zero_()
    returned = run()
    answer = returned if job.out is None else job.out
    assert isinstance(answer, torch.Tensor)
    assert torch.equal(answer, job.expected)


@pytest.mark.parametrize("source", FLOATS)
def test_inputs_are_finite_in_range_and_reach_its_ends(source: str) -> None:
    for case in sized([64 * DIM], ["encode"], (source,)):
        x = case.job().x
        assert x.dtype == getattr(torch, source)
        assert x.shape == case.shape
        assert [float(x.min()), float(x.max())] == [-case.format.max, case.format.max]


def pack_of_codes(scope: str) -> CodecCase:
    name = f"pack, format e2m1, source codes, scope {scope}, values 1,024"
    (case,) = (case for case in CASES if str(case) == name)
    return case


def refusal(case: CodecCase, answer: object) -> str:
    wrong: Rival[Any] = Rival("wrong", ("pack",), lambda job: lambda: answer, CodecJob.check)
    setting = Setting(Processor(), rounds=1, rivals=(wrong,), strict=True)
    with pytest.raises(RivalError) as refused:
        case.measure(setting, float("inf"))
    return str(refused.value)


def test_a_rival_with_another_answer_is_refused() -> None:
    case = pack_of_codes("kernel")
    # It writes nothing, so no byte is right.
    told = f"wrong gives another answer for {case}: 512 of 512 bytes differ"
    assert refusal(case, None) == told
    case = pack_of_codes("call")
    answer = case.job().expected.clone()
    answer[1, 3] ^= 1
    assert refusal(case, answer).endswith(": 1 of 512 bytes differ")
    assert refusal(case, answer[:1]).endswith(": 256 bytes, not 512")


@pytest.mark.parametrize("limit", [copies, reads])
def test_a_limit_runs_and_few_bytes_have_none(limit: Callable[[int], list[Entrant]]) -> None:
    assert limit(LEAST_BYTES - 1) == []
    for entrant in limit(LEAST_BYTES):
        run = entrant.start()
        assert run is not None
        run()
