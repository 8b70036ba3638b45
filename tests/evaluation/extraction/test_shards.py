"""Shards of an extraction, each by itself, and the file that they are merged to."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from evaluation.embeddings.extracted import read_extracted
from evaluation.extraction.journal import folder_of
from evaluation.extraction.shards import Shard
from evaluation.recordings.recordings import find_recordings
from tests.evaluation.extraction.runs import (
    SHARDED,
    Extract,
    Shards,
    contents,
    merge,
    with_failures,
)
from tests.evaluation.recordings.sounds import make_wav
from tests.support.paths import ROOT


@pytest.mark.parametrize("count", [1, 2, 3, 7, 9])
def test_merged_shards_are_the_file_of_an_extraction_without(
    extract: Extract, out: Path, speech: Path, shards: Shards, count: int
) -> None:
    with_failures(speech)
    assert extract(SHARDED, "--batch", "2") == 0
    expected = contents(out)
    assert set(expected) == {"voices.safetensors", "voices.csv", "voices-skipped.csv"}
    for path in out.parent.iterdir():
        path.unlink()
    parts = shards(count)
    assert merge(out) == 0
    assert contents(out) == parts | expected
    # Again, over what is there.
    assert merge(out) == 0
    assert contents(out) == parts | expected
    for path in out.parent.glob("*-shard-*"):
        path.unlink()
    # Recordings that failed are tried again, as without shards, and fail again.
    assert extract(SHARDED, "--batch", "2") == 0
    assert contents(out) == expected


def test_every_recording_is_of_one_shard_and_batches_stay_whole(speech: Path) -> None:
    recordings = find_recordings(speech).recordings
    for count in range(1, 20):
        for batch in (1, 2, 5, 12, 40):
            parts = [Shard(i + 1, count).part(recordings, batch=batch) for i in range(count)]
            found = [
                parts[i % count][i // count * batch :][:batch]
                for i in range(-(-len(recordings) // batch))
            ]
            assert list(chain.from_iterable(found)) == recordings
            assert sum(map(len, parts)) == len(recordings)
            assert max(map(len, parts)) - min(map(len, parts)) <= batch


def test_a_shard_of_no_recording_is_a_file_of_no_row(out: Path, shards: Shards) -> None:
    shards(7, 7)
    found = read_extracted(Shard(7, 7).path_of(out))
    assert found.rows.shape == (0, 4)
    assert found.entries == []


def test_where_all_is_merged_a_shard_has_nothing_to_do(
    out: Path, shards: Shards, calls: Callable[[], list[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    shards(2)
    assert merge(out) == 0
    for path in out.parent.glob("*-shard-*"):
        path.unlink()
    before, done = contents(out), len(calls())
    assert shards(2) == before
    assert len(calls()) == done == 12
    assert f"{out} has all 12 recordings already" in capsys.readouterr().out


def test_shards_that_are_gone_go_on_from_what_was_merged(
    extract: Extract, out: Path, speech: Path, shards: Shards, calls: Callable[[], list[int]]
) -> None:
    with_failures(speech)
    shards(3)
    assert merge(out) == 0
    for path in out.parent.glob("*-shard-*"):
        path.unlink()
    before = len(calls())
    make_wav(speech / "s0" / "00.wav", samples=2222)
    make_wav(speech / "s9" / "00.wav", samples=3333)
    parts = shards(3)
    # What has no row yet is tried, and nothing else.
    assert sorted(calls()[before:]) == [2222, 3333]
    assert merge(out) == 0
    merged = contents(out)
    assert len(read_extracted(out).rows) == 12
    shutil.rmtree(out.parent)
    assert extract(SHARDED, "--batch", "2") == 0
    assert parts | contents(out) == merged


def test_a_shard_that_is_run_again_does_nothing(
    shards: Shards, calls: Callable[[], list[int]]
) -> None:
    before = shards(3, 2)
    assert shards(3, 2) == before
    assert len(calls()) == 4


def test_recordings_that_were_added_are_merged_too(
    extract: Extract, out: Path, speech: Path, shards: Shards
) -> None:
    shards(2)
    assert merge(out) == 0
    # Behind all others, so that each shard keeps its own.
    make_wav(speech / "s9" / "00.wav", samples=4000)
    shards(2)
    assert merge(out) == 0
    merged = contents(out)["voices.safetensors"]
    assert len(read_extracted(out).rows) == 13
    shutil.rmtree(out.parent)
    assert extract(SHARDED, "--batch", "2") == 0
    assert contents(out)["voices.safetensors"] == merged


def test_shards_that_are_killed_go_on_to_the_same_bytes(
    out: Path, own_models: Path, speech: Path, shards: Shards, calls: Callable[[], list[int]]
) -> None:
    expected = shards(2)
    shutil.rmtree(out.parent)
    before = len(calls())
    environment = os.environ | {"PYTHONPATH": f"{own_models}:{ROOT}", "SECONDS_A_BATCH": "0.5"}
    command = [sys.executable, "-m", "evaluation", "extract", "--model", f"own:{SHARDED}"]
    command += ["--data", str(speech), "--out", str(out), "--batch", "2", "--shard"]
    # Both at once, as two machines would.
    running = [subprocess.Popen([*command, f"{i}/2"], env=environment) for i in (1, 2)]
    left, deadline = dict(enumerate(running, start=1)), time.monotonic() + 60
    while left and time.monotonic() < deadline:
        for number in [*left]:
            lines = folder_of(Shard(number, 2).path_of(out)) / "lines.jsonl"
            if lines.exists() and lines.stat().st_size:
                left.pop(number).send_signal(signal.SIGKILL)
        time.sleep(0.01)
    assert [process.wait() for process in running] == [-signal.SIGKILL] * 2
    assert shards(2) == expected
    # A batch of each shard was done, and is not done again; another may have been begun.
    assert len(calls()) - before <= 12 + 4


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "1/0", "-1/2", "1/2/3", "a/b", "1/1000000"])
def test_an_unusable_shard_is_named(
    extract: Extract, capsys: pytest.CaptureFixture[str], shard: str
) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        extract(SHARDED, f"--shard={shard}")
    message = (
        "argument --shard: must be I/N, such as 2/8, with I from 1 to N and N below 1,000,000; "
        f"got '{shard}'"
    )
    assert re.sub(r"\s+", " ", capsys.readouterr().err).strip().endswith(message)
