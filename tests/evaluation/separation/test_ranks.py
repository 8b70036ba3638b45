"""The study on several ranks: one process's numbers to the digit."""

from pathlib import Path

from tests.evaluation.conftest import Maker
from tests.evaluation.launched import RUN, STUDY, launch
from tests.support.launched import Ended


def test_ranks_give_the_bytes_of_one_process(make_file: Maker, tmp_path: Path) -> None:
    files = [str(make_file(name=name, spread=1.2, seed=seed)) for seed, name in enumerate("ab")]
    options = ["--formats", "e2m1", "--draws", "20", "--out", "report"]
    written, printed = [], []
    for count in (1, 2, 3):
        folder = tmp_path / str(count)
        folder.mkdir()
        arguments = ["separation", *files, *options]
        first, *others = launch(count, STUDY + RUN, arguments, folders=[folder])
        assert first.status == 0, first.err
        assert others == [Ended(0, "", "")] * (count - 1)
        written.append({path.name: path.read_bytes() for path in (folder / "report").iterdir()})
        printed.append((first.out, first.err))
    assert {"metrics.csv", "report.html", "a-map.svg"} < written[0].keys()
    assert written[1] == written[0] == written[2]
    assert printed[1] == printed[0] == printed[2]


def test_a_step_that_fails_on_one_rank_ends_all(make_file: Maker, tmp_path: Path) -> None:
    # The third step is rank 2's.
    program = f"""
from evaluation.separation import study

whole = study.stored_rows

def stored_rows(embeddings, condition):
    if condition.name == "bfloat16":
        raise MemoryError("too little")
    return whole(embeddings, condition)

study.stored_rows = stored_rows
{RUN}
"""
    arguments = ["separation", str(make_file()), "--formats", "e2m1", "--out", "report"]
    first, second, third = launch(3, STUDY + program, arguments, folders=[tmp_path])
    assert first.status == 2
    assert first.err.endswith("error: rank 2 failed: MemoryError: too little\n")
    assert second == Ended(2, "", "")
    assert third.status == 1
    assert third.err.endswith("MemoryError: too little\n")
    assert not (tmp_path / "report" / "metrics.csv").exists()
