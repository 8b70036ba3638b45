"""Shards that cannot be merged, and what is said of them."""

import shutil
from pathlib import Path

import pytest

from evaluation.extraction.journal import folder_of
from evaluation.extraction.shards import Shard
from tests.evaluation.extraction.runs import (
    SHARDED,
    Extract,
    Shards,
    contents,
    merge,
    with_failures,
)
from tests.evaluation.recordings.sounds import make_wav


def refused(out: Path, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Tell whether a merge is refused with a message, and writes nothing."""
    before = contents(out)
    capsys.readouterr()
    assert merge(out) == 2
    assert capsys.readouterr().err == f"error: {message}\n"
    assert contents(out) == before


def test_an_unfinished_shard_is_named(
    out: Path, shards: Shards, capsys: pytest.CaptureFixture[str]
) -> None:
    again = "extract --shard I/N writes them"
    out.parent.mkdir()
    refused(
        out, f"{out}: no shards beside it, such as voices-shard-1-of-8.safetensors; {again}", capsys
    )
    shards(7, 1, 2, 4)
    path = Shard(2, 7).path_of(out)
    left = f"{out}: all 7 shards must be finished; "
    absent = [f"{number}/7 is absent" for number in (3, 5, 6, 7)]
    refused(out, f"{left}4 are not: {', '.join(absent)}; run extract with --shard 3/7", capsys)
    path.with_suffix(".json").unlink()
    states = ", ".join(["2/7 is begun", *absent])
    refused(out, f"{left}5 are not: {states}; run extract with --shard 2/7", capsys)
    path.unlink()
    Shard(1, 7).path_of(out).with_suffix(".json").unlink()
    folder_of(Shard(4, 7).path_of(out)).touch()
    states = "1/7 is begun, 2/7 is absent, 3/7 is absent, 4/7 is begun, 5/7 is absent, and 2 more"
    refused(out, f"{left}7 are not: {states}; run extract with --shard 1/7", capsys)
    folder_of(Shard(1, 8).path_of(out)).touch()
    message = f"{out}: its shards must be of one number; found shards of 7 and of 8: "
    refused(out, f"{message}remove those of the other extraction", capsys)


def test_shards_of_two_models_are_refused(
    out: Path, shards: Shards, capsys: pytest.CaptureFixture[str]
) -> None:
    shards(2, 1)
    shards(2, 2, function="embed")
    message = (
        f"{Shard(2, 2).path_of(out)}: holds rows of model own:embed, and "
        f"voices-shard-1-of-2.safetensors of model own:{SHARDED}; shards must be of one model: "
        "extract one of them again"
    )
    refused(out, message, capsys)


@pytest.mark.parametrize("other", ["batch", "more", "size"])
def test_shards_of_other_recordings_are_refused(
    extract: Extract,
    out: Path,
    speech: Path,
    shards: Shards,
    capsys: pytest.CaptureFixture[str],
    other: str,
) -> None:
    shards(2, 1)
    batch = "4" if other == "batch" else "2"
    if other == "more":
        make_wav(speech / "s9" / "00.wav", samples=4000)
    if other == "size":
        make_wav(speech / "s2" / "00.wav", samples=4000)
    assert extract(SHARDED, "--batch", batch, "--shard", "2/2") == 0
    what = {
        "batch": "must have one --batch; shard 1/2 has 2 and shard 2/2 4",
        "more": "must be of the same recordings; shard 1/2 is of 12 and shard 2/2 of 13",
        "size": "must be of the same recordings; of the 12 of shard 2/2 some are not those of "
        "shard 1/2, or not as they were",
    }[other]
    refused(out, f"{out}: its shards {what}: extract one of them again", capsys)


def test_a_shard_under_the_name_of_another_is_refused(
    out: Path, shards: Shards, capsys: pytest.CaptureFixture[str]
) -> None:
    shards(2, 1)
    for path in list(out.parent.iterdir()):
        shutil.copy(path, path.with_name(path.name.replace("1-of", "2-of")))
    seal = Shard(2, 2).path_of(out).with_suffix(".json")
    again = "remove it, and run extract with --shard 2/2 again"
    refused(out, f"{seal}: must be of shard 2/2; it is of 1/2: {again}", capsys)
    # Even if the seal is of the other, too.
    seal.write_text(seal.read_text().replace('"shard": 1', '"shard": 2'))
    message = (
        f"{Shard(2, 2).path_of(out)}: holds s0/00, which voices-shard-1-of-2.safetensors holds "
        "too; a recording must be in one shard"
    )
    refused(out, message, capsys)
    sealed = seal.read_text()
    seal.write_text(sealed.replace('"failed": 0', '"failed": "0"'))
    refused(out, f"{seal}: not a readable seal of a shard (a value of another type)", capsys)
    seal.write_text(sealed[:-20])
    assert merge(out) == 2
    assert f"{seal}: not a readable seal of a shard (" in capsys.readouterr().err


@pytest.mark.parametrize("end", [".safetensors", ".csv", "-skipped.csv"])
@pytest.mark.parametrize("change", ["cut", "changed", "removed"])
def test_a_damaged_shard_is_refused(
    out: Path,
    speech: Path,
    shards: Shards,
    capsys: pytest.CaptureFixture[str],
    end: str,
    change: str,
) -> None:
    with_failures(speech)
    shards(3)
    path = Shard(1, 3).path_of(out).with_name(f"voices-shard-1-of-3{end}")
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    if change == "removed":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if change == "cut" else content)
    before = contents(out)
    assert merge(out) == 2
    error = capsys.readouterr().err
    if end == ".csv":
        assert f"{path}: " in error
    elif (end, change) == (".safetensors", "removed"):
        assert "1/3 is begun" in error
    else:
        assert error == (
            f"error: {path}: has changed since the shard was finished; remove it, and run extract "
            "with --shard 1/3 again\n"
        )
    assert contents(out) == before


def test_no_row_at_all_is_an_error_of_the_merge(
    out: Path, shards: Shards, capsys: pytest.CaptureFixture[str]
) -> None:
    shards(2, function="embed_nothing")
    reason = "s0/00.wav cannot be embedded: device lost"
    refused(out, f"{out}: none of 12 recordings gave a row; {reason}", capsys)


def test_a_file_with_other_rows_is_not_replaced(
    extract: Extract,
    out: Path,
    speech: Path,
    shards: Shards,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shards(2)
    make_wav(speech / "s9" / "00.wav", samples=4000)
    assert extract(SHARDED, "--batch", "2") == 0
    message = (
        f"{out}: holds 1 recordings that its shards do not have, or not as they were, first "
        "s9/00.wav: give another --out, or remove it"
    )
    refused(out, message, capsys)
    out.unlink()
    folder_of(out).mkdir()
    message = f"{out}: an extraction without --shard is unfinished; finish it, or remove "
    before = set(out.parent.iterdir())
    assert merge(out) == 2
    assert capsys.readouterr().err == f"error: {message}{folder_of(out)}\n"
    assert set(out.parent.iterdir()) == before


def test_a_merge_is_of_a_file_of_embeddings(capsys: pytest.CaptureFixture[str]) -> None:
    assert merge(Path("x.npz")) == 2
    assert capsys.readouterr().err == "error: --out must end in .safetensors; got 'x.npz'\n"
