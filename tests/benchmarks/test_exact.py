"""The bench of proven answers: what it reads, times and prints."""

import re
from pathlib import Path

import pytest
import torch

import minifloat as mf
from benchmarks.exact import __main__ as command
from benchmarks.exact import reads, times
from tests.support.rows import normal


def test_rows_read_are_at_least_those_that_are_always_read_and_tell_the_most_last() -> None:
    x = normal(700, 64)
    found = reads.rows_read(x, mf.E2M3)
    assert 2 * reads.K <= found[0] <= found[1] <= found[2] < 700
    finer = reads.rows_read(x, mf.E3M4)
    assert finer[1] < found[1]
    assert reads.rows_read(x, mf.E2M1, rounding="feedback")[0] > found[0]


def test_an_answer_that_is_not_exact_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    x = normal(700, 64)
    search = mf.search
    # As it would be by scores of codes alone.
    monkeypatch.setattr(mf, "search", lambda *given, **_: (*search(*given), None))
    with pytest.raises(AssertionError, match="not close"):
        reads.rows_read(x, mf.E2M3)


def test_rows_in_a_file_are_made_around_real_ones_and_are_the_same_each_time(
    tmp_path: Path,
) -> None:
    around = normal(50, 32)
    first = times.Rows(tmp_path / "a.npy", around, 3000, mf.E2M3)
    second = times.Rows(tmp_path / "b.npy", around, 3000, mf.E2M3)
    assert first.packed == second.packed
    assert first.mapped().shape == (3000, 32)
    cosines = torch.nn.functional.cosine_similarity(
        torch.from_numpy(first.mapped()[:100].copy())[:, None], around[None], dim=2
    )
    assert float(cosines.amax(1).median()) > 0.8
    first.forget()
    taken = times.warm(first, first.queries[:2].contiguous())
    assert {"codes", "proven", "torch"} <= taken.keys()
    assert min(taken.values()) > 0
    assert min(times.cold(first, first.queries[:2].contiguous()).values()) > 0


def test_the_command_prints_a_table_and_a_line_for_each_number_of_queries(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = ["exact", "--rows", "3000", "--random", "600", "--folder", str(tmp_path)]
    monkeypatch.setattr("sys.argv", given)
    before = torch.get_num_threads()
    command.main()
    torch.set_num_threads(before)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" |")[0] for line in lines[2:7]] == [
        "| CAM++",
        "| CAM++ in a cone",
        "| GE2E",
        "| GE2E in a cone",
        "| random",
    ]
    for line, queries in zip(lines[-2:], (1, 64), strict=True):
        assert re.fullmatch(
            rf"e2m3, {queries} queries: proven [\d.]+ ms; times as long: codes [\d.]+, proven "
            r"1.00, torch [\d.]+(, faiss flat [\d.]+)?; with originals on the disk alone [\d.]+, "
            r"where NumPy takes [\d.]+ to gather as many",
            line,
        )
    assert list(tmp_path.iterdir()) == []
