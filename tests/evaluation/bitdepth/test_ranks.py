"""The study on several ranks: one process's numbers to the digit, and what is said of failures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evaluation.conftest import Maker
from tests.evaluation.launched import RUN, STUDY, launch
from tests.support.launched import Ended
from tests.support.paths import ROOT

OPTIONS = ["--formats", "e2m1", "--draws", "20", "--out", "report"]

UNDRAWN = """
from evaluation.bitdepth import run
run.figures = lambda study, formats: []
"""


@pytest.fixture(scope="module")
def files(make_file_in: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Embeddings whose scores overlap, a cohort, and a list of trials."""
    folder = tmp_path_factory.mktemp("files")
    make_file_in(folder, spread=1.2)
    others = [f"c{place // 3}" for place in range(27)]
    make_file_in(folder, name="cohort", speakers=9, utterances=3, seed=1, speaker=others)
    names = [(s, u) for s in range(12) for u in range(6)]
    lines = [
        f"{int(a[0] == b[0])} s{a[0]:03}/{a[1]:03}.wav s{b[0]:03}/{b[1]:03}.wav\n"
        for a in names
        for b in names[names.index(a) + 1 :: 5]
    ]
    (folder / "trials.txt").write_text("".join(lines))
    return folder


def study(folder: Path, count: int, *options: str, program: str = RUN) -> list[Ended]:
    """Return how ranks have ended, each of which works in the folder."""
    folder.mkdir(parents=True)
    return launch(count, STUDY + program, ["bitdepth", *options, *OPTIONS], folders=[folder])


@pytest.mark.parametrize(
    ("trials", "counts"),
    [("pairs", (1, 2, 3)), ("list", (1, 3)), ("cohort", (1, 3))],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_ranks_give_the_bytes_of_one_process(
    files: Path, tmp_path: Path, trials: str, counts: tuple[int, ...]
) -> None:
    options = {
        "pairs": ["--far", "5%"],
        "list": ["--trials", str(files / "trials.txt")],
        "cohort": ["--cohort", str(files / "cohort.npz")],
    }[trials]
    # Figures take longest.
    program = RUN if trials == "pairs" else f"{UNDRAWN}{RUN}"
    found = []
    for count in counts:
        folder = tmp_path / str(count)
        voices = str(files / "voices.npz")
        first, *others = study(folder, count, voices, *options, program=program)
        assert first.status == 0, first.err
        assert others == [Ended(0, "", "")] * (count - 1)
        assert [path.name for path in folder.iterdir()] == ["report"]
        written = {path.name: path.read_bytes() for path in (folder / "report").iterdir()}
        assert ("voices-det.svg" in written) == (trials == "pairs")
        found.append((written, first))
    assert found == found[:1] * len(counts)


@pytest.mark.long
def test_torchrun_starts_the_ranks(files: Path, tmp_path: Path) -> None:
    written = []
    for start in (["-m"], ["-m", "torch.distributed.run", "--nproc-per-node", "2", "-m"]):
        folder = tmp_path / str(len(start))
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, *start, "evaluation", "bitdepth", str(files / "voices.npz"), *OPTIONS],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stdout.count("wrote metrics.csv") == 1
        report = folder / "report"
        written.append({path.name: path.read_bytes() for path in report.iterdir()})
    assert written[1] == written[0]


def test_a_rank_without_the_files_ends_all(files: Path, tmp_path: Path) -> None:
    with_file, without = tmp_path / "with", tmp_path / "without"
    for folder in (with_file, without):
        folder.mkdir()
    (with_file / "voices.npz").write_bytes((files / "voices.npz").read_bytes())
    arguments = ["bitdepth", "voices.npz", *OPTIONS]
    first, second = launch(2, STUDY + RUN, arguments, folders=[with_file, without])
    assert (first.status, first.out) == (2, "")
    assert first.err == "error: rank 1 failed: InputError: voices.npz: no such file\n"
    assert second == Ended(2, "", "")
    # The other way round, too.
    first, second = launch(2, STUDY + RUN, arguments, folders=[without, with_file])
    assert first == Ended(2, "", "error: voices.npz: no such file\n")
    assert second == Ended(2, "", "")
    # Other bytes under the same name.
    (without / "voices.npz").write_bytes((files / "cohort.npz").read_bytes())
    first, second = launch(2, STUDY + RUN, arguments, folders=[with_file, without])
    assert first.err == (
        "error: rank 1 was given other options or files than rank 0: all ranks must study the "
        "same\n"
    )
    assert [first.status, second.status] == [2, 2]
    assert not (with_file / "report").exists()


@pytest.mark.parametrize(
    ("end", "rank"), [("raise MemoryError('too little')", 0), ("os._exit(9)", 1)]
)
def test_a_rank_that_fails_within_ends_all_and_is_named(
    files: Path, tmp_path: Path, end: str, rank: int
) -> None:
    program = f"""
import os
from evaluation.trials.pairs import AllPairs

whole, passes = AllPairs.batches, []

def batches(self, scorer):
    passes.append(scorer)
    for batch in whole(self, scorer):
        yield batch
        if os.environ["RANK"] == "{rank}" and len(passes) == 5:
            {end}

AllPairs.batches = batches
{RUN}
"""
    ended = study(tmp_path / "ranks", 3, str(files / "voices.npz"), program=program)
    failed, others = ended.pop(rank), ended
    assert failed.status == (1 if "raise" in end else 9)
    assert ("MemoryError: too little" in failed.err) == ("raise" in end)
    assert [one.status for one in others] == [2, 2]
    if rank == 1:
        assert "error: rank 1 is gone: " in others[0].err
    # What was finished is there, and told of as by one process.
    assert (tmp_path / "ranks" / "report" / "metrics-unfinished.csv").exists()
    assert not (tmp_path / "ranks" / "report" / "metrics.csv").exists()


def test_options_that_cannot_be_used_are_told_once(files: Path, tmp_path: Path) -> None:
    for option in (["--tolerance", "0"], ["--threshold", "x"]):
        folder = tmp_path / option[0]
        first, *others = study(folder, 2, str(files / "voices.npz"), *option)
        assert first.status == 2
        assert option[0] in first.err
        assert others == [Ended(2, "", "")]
