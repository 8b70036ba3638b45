import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.embeddings.extracted import Entry, read_extracted
from evaluation.extraction.journal import LINES, ROWS, Journal, folder_of

MODEL = {"model": "one", "weights": "abc"}


def entry(place: int) -> Entry:
    return Entry(speaker="s", utterance=f"{place:03}", path=f"s/{place}", seconds=1.5, bytes=place)


def row(place: int) -> NDArray[np.float32]:
    return np.array([[place, 1 / (place + 1)]], np.float32)


def opened(out: Path, **model: str) -> Journal:
    return Journal(out, model=MODEL | model, dim=2)


def test_what_was_appended_is_there_again(tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    with opened(out) as journal:
        journal.append(row(5), [entry(5)])
        journal.append(np.concatenate((row(2), row(7))), [entry(2), entry(7)])
    with opened(out) as journal:
        assert journal.entries == [entry(5), entry(2), entry(7)]
        journal.finish()
    found = read_extracted(out)
    assert found.entries == [entry(2), entry(5), entry(7)]
    np.testing.assert_array_equal(found.rows, np.concatenate((row(2), row(5), row(7))))
    assert found.model == MODEL
    assert {path.name for path in tmp_path.iterdir()} == {"x.safetensors", "x.csv"}


def test_a_journal_that_was_cut_at_any_byte_is_whole_up_to_there(tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    with opened(out) as journal:
        for place in range(3):
            journal.append(row(place), [entry(place)])
    folder, kept = folder_of(out), tmp_path / "kept"
    shutil.copytree(folder, kept)
    size, lines = (kept / ROWS).stat().st_size, (kept / LINES).read_bytes()
    for length in range(len(lines) + 1):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        (folder / LINES).write_bytes(lines[:length])
        whole = lines[:length].count(b"\n")
        with opened(out) as journal:
            assert journal.entries == [entry(place) for place in range(whole)]
            assert (folder / ROWS).stat().st_size == size * whole // 3
            journal.append(row(9), [entry(9)])
        with opened(out) as journal:
            assert journal.entries[-1] == entry(9)


@pytest.mark.parametrize("block", [1, 4, 7, 1000])
def test_rows_are_written_in_blocks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("evaluation.extraction.journal.BLOCK", block)
    out, places = tmp_path / "x.safetensors", [3, 0, 4, 1, 2]
    with opened(out) as journal:
        journal.append(np.concatenate([row(i) for i in places]), [entry(i) for i in places])
        journal.finish()
    found = read_extracted(out)
    assert found.entries == [entry(i) for i in range(5)]
    np.testing.assert_array_equal(found.rows, np.concatenate([row(i) for i in range(5)]))


@pytest.mark.parametrize(
    "step",
    [
        "evaluation.embeddings.extracted.write_whole",
        "evaluation.embeddings.extracted._header",
        "evaluation.extraction.journal._new_folder",
        "evaluation.extraction.journal.shutil.rmtree",
    ],
)
def test_an_interrupted_end_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "x.safetensors"
    with opened(out) as journal:
        journal.append(np.concatenate((row(2), row(1))), [entry(2), entry(1)])
        monkeypatch.setattr(step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.finish()
    monkeypatch.undo()
    with opened(out) as journal:
        assert {e.utterance for e in journal.entries} == {"001", "002"}
        journal.append(row(0), [entry(0)])
        journal.finish()
    found = read_extracted(out)
    assert found.entries == [entry(0), entry(1), entry(2)]
    np.testing.assert_array_equal(found.rows, np.concatenate((row(0), row(1), row(2))))


def test_a_row_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    with opened(out) as journal:
        journal.append(np.concatenate((row(0), row(1), row(0))), [entry(0), entry(1), entry(0)])
    name = f"{entry(0).speaker}/{entry(0).utterance}"
    lines = folder_of(out) / "lines.jsonl"
    message = f"{lines}: {name} must come once; it is in line 1 and in line 3"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        opened(out)


def test_what_extraction_leaves_has_the_permissions_of_new_files(tmp_path: Path) -> None:
    # Of a name as long as a name may be.
    out = tmp_path / f"{'a' * 243}.safetensors"
    before = os.umask(0o027)
    try:
        with opened(out) as journal:
            journal.append(row(0), [entry(0)])
            unfinished = folder_of(out)
            assert unfinished.stat().st_mode & 0o777 == 0o750
            assert {one.stat().st_mode & 0o777 for one in unfinished.iterdir()} == {0o640}
            journal.finish()
    finally:
        os.umask(before)
    left = list(tmp_path.iterdir())
    assert sorted(one.suffix for one in left) == [".csv", ".safetensors"]
    assert {one.stat().st_mode & 0o777 for one in left} == {0o640}


def test_lost_rows_are_an_error(tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    with opened(out) as journal:
        journal.append(row(0), [entry(0)])
    (folder_of(out) / ROWS).write_bytes(b"1234567")
    with pytest.raises(InputError, match=r"x.unfinished: damaged, rows are missing; remove it"):
        opened(out)


def test_a_finished_output_is_where_the_next_journal_begins(tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    for place in (3, 1, 2):
        with opened(out) as journal:
            journal.append(row(place), [entry(place)])
            journal.finish()
    found = read_extracted(out)
    assert found.entries == [entry(1), entry(2), entry(3)]
    np.testing.assert_array_equal(found.rows, np.concatenate((row(1), row(2), row(3))))


@pytest.mark.parametrize("finished", [False, True])
def test_rows_of_two_models_never_share_an_output(tmp_path: Path, finished: bool) -> None:
    out = tmp_path / "x.safetensors"
    with opened(out) as journal:
        journal.append(row(0), [entry(0)])
        if finished:
            journal.finish()
    for fact, value, before in (("model", "two", "one"), ("library", "nemo 3", "none")):
        message = (
            f"{out}: holds rows of {fact} {before}; "
            f"got {fact} {value}: give another --out, or remove it"
        )
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            opened(out, **{fact: value})
    with opened(out) as journal:
        assert journal.entries == [entry(0)]


def test_two_extractions_never_write_to_one_output(tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    with opened(out), pytest.raises(InputError, match="another extraction is writing to it"):
        opened(out)


@pytest.mark.parametrize("name", [ROWS, LINES])
def test_a_journal_with_a_link_in_it_cuts_off_no_other_file(tmp_path: Path, name: str) -> None:
    out, victim = tmp_path / "x.safetensors", tmp_path / "victim"
    opened(out).__exit__(None, None, None)
    victim.write_bytes(b"half a line")
    part = folder_of(out) / name
    part.unlink()
    part.symlink_to(victim)
    message = f"{folder_of(out)}: damaged, {name} cannot be opened (Too many levels of symbolic"
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        opened(out)
    assert victim.read_bytes() == b"half a line"
    # The attack is one: without that look the file is cut to its whole lines, which are none.
    part.unlink()
    victim.rename(part)
    with opened(out) as journal:
        assert journal.entries == []
    assert part.read_bytes() == b""


def test_a_journal_that_is_a_link_is_refused(tmp_path: Path) -> None:
    out, other = tmp_path / "x.safetensors", tmp_path / "y.safetensors"
    opened(other).__exit__(None, None, None)
    folder_of(out).symlink_to(folder_of(other))
    with pytest.raises(InputError, match=r"x.unfinished: is a link; rows are not written through"):
        opened(out)


def test_a_journal_with_a_pipe_in_it_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    opened(out).__exit__(None, None, None)
    (folder_of(out) / ROWS).unlink()
    os.mkfifo(folder_of(out) / ROWS)
    with pytest.raises(InputError, match=r"damaged, rows.f32 is no file; remove it"):
        opened(out)


@pytest.mark.parametrize(
    "line", [b"{}", b"[]", b"nothing", b'{"speaker": 1, "x": 2}', b"[" * 10**5]
)
def test_a_line_of_something_else_is_named(tmp_path: Path, line: bytes) -> None:
    out = tmp_path / "x.safetensors"
    opened(out).__exit__(None, None, None)
    (folder_of(out) / LINES).write_bytes(line + b"\n")
    with pytest.raises(InputError, match=r"x.unfinished: damaged \(.*\); remove it"):
        opened(out)
