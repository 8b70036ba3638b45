import re
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluation.data import load_embeddings
from evaluation.errors import InputError

kaldiio = pytest.importorskip("kaldiio", reason="kaldiio is not installed")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    rows = {f"u{i}": np.arange(4, dtype=np.float32) + i for i in range(6)}
    place = tmp_path / "xvector.ark"
    kaldiio.save_ark(str(place), rows, scp=str(tmp_path / "xvector.scp"))
    (tmp_path / "utt2spk").write_text("".join(f"u{i} s{i % 2}\n" for i in range(6)))
    return place


@pytest.mark.parametrize("suffix", [".ark", ".scp"])
def test_archives_and_lists_of_them_are_read(archive: Path, suffix: str) -> None:
    loaded = load_embeddings(archive.with_suffix(suffix))
    assert loaded.utterance == ["u0", "u2", "u4", "u1", "u3", "u5"]
    assert loaded.speaker_names == ["s0", "s1"]
    assert loaded.rows[:, 0].tolist() == [0, 2, 4, 1, 3, 5]


def test_a_list_finds_archives_beside_it(archive: Path, tmp_path: Path) -> None:
    listed = archive.with_suffix(".scp")
    listed.write_text(listed.read_text().replace(f"{tmp_path}/", ""))
    assert len(load_embeddings(listed)) == 6


@pytest.mark.parametrize("place", ["touch {} |", "| touch {}"])
def test_commands_in_lists_are_not_run(archive: Path, tmp_path: Path, place: str) -> None:
    victim = tmp_path / "victim"
    archive.with_suffix(".scp").write_text(f"u0 {place.format(victim)}\n")
    with pytest.raises(InputError, match="must list places in files; got the command"):
        load_embeddings(archive.with_suffix(".scp"))
    assert not victim.exists()


def test_a_missing_package_is_named_with_its_command(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kaldiio", None)
    message = f'{archive}: needs kaldiio, which is not installed; pip install "minifloat[kaldi]"'
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(archive)


@pytest.mark.parametrize("name", ["xvector.scp", "utt2spk"])
def test_lists_that_are_not_utf8_are_refused(archive: Path, name: str) -> None:
    listed = archive.with_name(name)
    listed.write_bytes("Jürgen s0\n".encode("latin-1"))
    message = (
        f"{listed}: not a readable list "
        "('utf-8' codec can't decode byte 0xfc in position 1: invalid start byte)"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(archive.with_suffix(".scp"))


def test_unusable_archives_are_named(archive: Path, tmp_path: Path) -> None:
    listed = archive.with_suffix(".scp")
    with pytest.raises(InputError, match=r"absent.ark: no such file"):
        load_embeddings(tmp_path / "absent.ark")
    listed.write_text("u0 absent.ark:3\n")
    with pytest.raises(InputError, match=r"absent.ark: no such file"):
        load_embeddings(listed)
    listed.write_text("u0\n")
    with pytest.raises(InputError, match=r"line 1: must be two words; got 'u0'"):
        load_embeddings(listed)
    (tmp_path / "utt2spk").write_text("u0 s0\n")
    with pytest.raises(InputError, match=r"utt2spk: no speaker for utterance 'u1'"):
        load_embeddings(archive)
    (tmp_path / "utt2spk").unlink()
    with pytest.raises(InputError, match=r"utt2spk: no such file"):
        load_embeddings(archive)


def test_vectors_of_two_lengths_are_refused(archive: Path) -> None:
    kaldiio.save_ark(str(archive), {"u0": np.ones(4), "u1": np.ones(5)})
    with pytest.raises(InputError, match=r"one length; got shape \(5,\) for utterance 'u1'"):
        load_embeddings(archive)


def test_what_is_no_archive_is_refused(archive: Path) -> None:
    archive.write_bytes(b"u0 \0Bsomething else")
    with pytest.raises(InputError, match="not a readable Kaldi archive"):
        load_embeddings(archive)
