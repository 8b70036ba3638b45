"""An extraction as tests run it, its shards, and what it has written."""

import csv
from collections.abc import Callable
from pathlib import Path

from evaluation.__main__ import main
from tests.evaluation.recordings.sounds import make_wav

Extract = Callable[..., int]
Shards = Callable[..., dict[str, bytes]]
# What shards are run with.
SHARDED = "embed_all_but_short_ones"


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.parent.iterdir()}


def skipped(out: Path) -> dict[str, str]:
    path = out.with_name("voices-skipped.csv")
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {line["path"]: line["reason"] for line in csv.DictReader(file)}


def merge(out: Path) -> int:
    return main(["merge", "--out", str(out)])


def with_failures(speech: Path) -> None:
    """Make some recordings fail in each of the ways."""
    (speech / "s0" / "00.wav").write_text("no sound")
    make_wav(speech / "s0" / "01.wav", samples=500)
    make_wav(speech / "s2" / "03.wav", samples=600)
    (speech / "s1" / "link").symlink_to(speech / "s2")
    # The last batch is a batch of one.
    make_wav(speech / "s2" / "04.wav", samples=2345)
