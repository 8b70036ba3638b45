import pytest
import torch

import minifloat as mf
from benchmarks.harness.calls import Sizes
from benchmarks.harness.case import Setting
from benchmarks.harness.device import Processor
from benchmarks.harness.rival import Rival, RivalError
from benchmarks.registry import SOURCES, cases
from benchmarks.search import OPS, SearchCase, SearchJob, finds, found_rows

SIZES = Sizes(values=[], queries=[1, 3], rows=300, dim=40, k=5)
CASES = [
    case
    for case in cases(list(OPS.values()), mf.FORMATS, SOURCES, SIZES)
    if isinstance(case, SearchCase)
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_scores_and_search_find_the_same_rows_and_most_of_the_nearest(case: SearchCase) -> None:
    job = case.job()
    best, found = (op.nearest(job, op.call(job)()) for op in OPS.values())
    assert job.near.recall(found) >= 0.6
    order = mf.scores(job.read, job.database)
    assert torch.equal(order.gather(1, best), order.gather(1, found))


def test_queries_packed_like_the_database_are_a_source_of_scores_and_search() -> None:
    read = {(case.op, case.source): case.job().read for case in CASES}
    for (_, source), queries in read.items():
        assert isinstance(queries, mf.PackedVectors) == (source == "codes")
    assert set(read) == {(op, source) for op in ("scores", "search") for source in SOURCES}


def test_a_rival_that_finds_other_rows_than_the_nearest_is_refused() -> None:
    case = next(case for case in CASES if case.op == "search")
    none_right = torch.full((case.queries, case.k), -1)
    wrong: Rival[SearchJob] = Rival(
        "wrong", ("search",), lambda job: lambda: (none_right, none_right), finds(found_rows)
    )
    setting = Setting(Processor(), rounds=1, rivals=(wrong,), strict=True)
    with pytest.raises(
        RivalError, match=r"^wrong .*: recall 0\.00 of the 5 nearest rows, below 0\.2"
    ):
        case.measure(setting, float("inf"))
