import gzip
import re
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import load_embeddings

# Writes what the reader must read; it is not needed to read.
kaldiio = pytest.importorskip("kaldiio", reason="kaldiio is not installed")


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
    message = f"{archive}: must hold vectors of one length; got 5 for utterance 'u1' and 4 for 'u0'"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(archive)


@pytest.mark.parametrize("suffix", [".ark", ".ark.gz"])
def test_an_archive_that_was_appended_to_itself_is_refused(archive: Path, suffix: str) -> None:
    path, twice = archive.with_suffix(suffix), archive.read_bytes() * 2
    path.write_bytes(gzip.compress(twice) if suffix.endswith(".gz") else twice)
    message = f"{path}: utterance 'u0' must come once; it is in entry 1 and in entry 7"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(path)


@pytest.mark.parametrize("name", ["xvector.scp", "utt2spk"])
@pytest.mark.parametrize("other", ["u2 s1", "u2 s9", "u2 xvector.ark:3"])
def test_an_utterance_of_two_lines_is_refused(archive: Path, name: str, other: str) -> None:
    listed = archive.with_name(name)
    listed.write_text(f"{listed.read_text()}{other}\n")
    message = f"{listed}: utterance 'u2' must come once; it is in line 3 and in line 7"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(archive.with_suffix(".scp"))


def test_a_speaker_that_is_missing_is_no_person(archive: Path) -> None:
    lines = archive.with_name("utt2spk")
    lines.write_text(lines.read_text().replace("u3 s1", "u3 nan"))
    message = (
        f"{archive}: speaker must have a label for every row; 1 of 6 rows have none: 3 ('nan')"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(archive)


@pytest.mark.parametrize("name", ["xvector.scp", "utt2spk", "xvector.scp.gz"])
def test_a_list_may_begin_with_a_byte_order_mark(archive: Path, name: str) -> None:
    listed = archive.with_name(name)
    content = BOM_UTF8 + archive.with_name(name.removesuffix(".gz")).read_bytes()
    listed.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    path = listed if ".scp" in name else archive
    assert load_embeddings(path).utterance == ["u0", "u2", "u4", "u1", "u3", "u5"]


def test_an_archive_of_text_may_begin_with_a_byte_order_mark(archive: Path) -> None:
    archive.write_text("\ufeffu0 [ 1 2 ]\nu1 [ 3 4 ]\n", encoding="utf-8")
    assert load_embeddings(archive).utterance == ["u0", "u1"]


@pytest.mark.parametrize("name", ["x.ark", "x.scp", "x.ark.gz", "x.scp.gz"])
def test_what_holds_no_vector_is_refused(archive: Path, name: str) -> None:
    path = archive.with_name(name)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"x\.[a-z.]+: must hold at least one vector; got none$"):
        load_embeddings(path)


ROWS = {f"u{i}": np.arange(4, dtype=np.float32) - 1.5 + i / 4 for i in range(6)}


@pytest.mark.parametrize("suffix", [".ark", ".scp"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"text": True},
        {"dtype": np.float64},
        {"dtype": np.float64, "text": True},
        {"ndmin": 2},
        {"ndmin": 2, "dtype": np.float64},
        {"ndmin": 2, "text": True},
        *({"ndmin": 2, "compression_method": i} for i in range(1, 8)),
    ],
    ids=str,
)
def test_every_kind_of_vector_is_read_as_another_reader_does(
    archive: Path, suffix: str, options: dict[str, Any]
) -> None:
    kind, least = options.get("dtype", np.float32), options.get("ndmin", 1)
    written = {key: value for key, value in options.items() if key not in ("dtype", "ndmin")}
    rows = {name: np.array(row, kind, ndmin=least) for name, row in ROWS.items()}
    listed = archive.with_suffix(".scp")
    kaldiio.save_ark(str(archive), rows, scp=str(listed), **written)
    expected = {name: np.ravel(row) for name, row in kaldiio.load_scp(str(listed)).items()}
    loaded = load_embeddings(archive.with_suffix(suffix))
    assert loaded.utterance is not None
    for name, row in zip(loaded.utterance, loaded.rows, strict=True):
        np.testing.assert_allclose(row, expected[name], rtol=1e-6, atol=1e-6)


def test_a_written_number_may_be_whole_or_have_an_exponent(archive: Path) -> None:
    archive.write_text("u0  [ 0 1 2 ]\nu1  [\n  1e-3 -2 .5 ]\n")
    assert load_embeddings(archive).rows.tolist() == [[0, 1, 2], [np.float32(1e-3), -2, 0.5]]


def test_compressed_archives_and_lists_are_read(archive: Path, tmp_path: Path) -> None:
    plain = load_embeddings(archive).rows
    packed = tmp_path / "xvector.ark.gz"
    packed.write_bytes(gzip.compress(archive.read_bytes()))
    assert np.array_equal(load_embeddings(packed).rows, plain)
    listed = tmp_path / "xvector.scp.gz"
    text = archive.with_suffix(".scp").read_text().replace("xvector.ark", "xvector.ark.gz")
    listed.write_bytes(gzip.compress(text.encode()))
    assert np.array_equal(load_embeddings(listed).rows, plain)
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"xvector.ark.gz: not a readable Kaldi archive \("):
        load_embeddings(packed)


@pytest.mark.parametrize("chosen", ["[1:2]", "[:,1:2]", "[0:0,1:2]"])
def test_a_list_chooses_a_part_of_each(archive: Path, chosen: str) -> None:
    listed, least = archive.with_suffix(".scp"), 1 + chosen.count(",")
    rows = {name: np.array(row, ndmin=least) for name, row in ROWS.items()}
    kaldiio.save_ark(str(archive), rows, scp=str(listed))
    listed.write_text("".join(f"{line}{chosen}\n" for line in listed.read_text().splitlines()))
    whole = load_embeddings(archive).rows
    assert np.array_equal(load_embeddings(listed).rows, whole[:, 1:3])
    few = listed.read_text()
    for bad in ("1:2:3", "2", "2:1"):
        listed.write_text(few.replace("1:2", bad))
        with pytest.raises(InputError, match=re.escape(f"has no {chosen.replace('1:2', bad)}; ")):
            load_embeddings(listed)
    listed.write_text(few.replace("1:2", "1:4"))
    shape = "(4,)" if least == 1 else "(1, 4)"
    message = f"has no {chosen.replace('1:2', '1:4')}; its shape is {shape}"
    with pytest.raises(InputError, match=re.escape(message)):
        load_embeddings(listed)
