"""Archives and lists of Kaldi by strangers: none runs, opens or takes what it should not."""

import gzip
import os
import pickle
import re
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import load_embeddings
from tests.support.attack import Attack

KINDS = "vectors (FV, DV, text) or matrices of one row (FM, DM, CM, CM2, CM3, text)"


@pytest.mark.parametrize("place", ["touch {} |", "| touch {}"])
def test_commands_in_lists_are_not_run(archive: Path, tmp_path: Path, place: str) -> None:
    victim = tmp_path / "victim"
    archive.with_suffix(".scp").write_text(f"u0 {place.format(victim)}\n")
    with pytest.raises(InputError, match="must list places in files; got the command"):
        load_embeddings(archive.with_suffix(".scp"))
    assert not victim.exists()


def test_pickles_in_archives_are_not_run(archive: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    archive.write_bytes(b"u1 PKL" + pickle.dumps(Attack(victim)))
    message = f"{archive}: utterance 'u1' is of the kind 'PKL'; {KINDS} are read"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(archive)
    listed = archive.with_suffix(".scp")
    listed.write_text(f"u1 {archive}:3\n")
    message = f"{listed}: utterance 'u1', at 3 in {archive}, is of the kind 'PKL'; {KINDS} are read"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(listed)
    assert not victim.exists()
    # The attack is one.
    pickle.loads(archive.read_bytes()[6:])
    assert victim.exists()


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (b"\0B\4\2\0\0\0", f"is of the kind of no name; {KINDS} are read"),
        (b"\0BSM \4", f"is of the kind 'SM'; {KINDS} are read"),
        (b"NPY\6\0\0\0", f"is of the kind 'NPY'; {KINDS} are read"),
        (b"AUDIO\1\0", f"is of the kind 'AUDIO'; {KINDS} are read"),
        (b"RIFF\0\0\0\0WAVE", f"is of the kind 'RIFF'; {KINDS} are read"),
        (b"3\n", f"is of the kind '3'; {KINDS} are read"),
        (b" [ 1 2", f"is cut off; {KINDS} are read"),
        (b" [ 1 two ]\n", "must hold numbers"),
        (b" [\n 1 2\n 3 ]\n", "has rows of several lengths"),
        (b" [\n 1 2\n 3 4 ]\n", f"is a matrix of 2 rows; {KINDS} are read"),
        (b"\0BFV \4\2\0\0\0\0\0\0\0", "is cut off"),
        (b"\0BFV \4", "is cut off"),
        (b"\0BFV \x08\2\0\0\0\0\0\0\0", "has a size of 8 bytes; it must have 4"),
        (
            b"\0BFV \4" + struct.pack("<i", 2**30),
            "has size 1073741824; it must be in 0..65536",
        ),
        (b"\0BDV \4" + struct.pack("<i", -1), "has size -1; it must be in 0..65536"),
        (
            b"\0BFM \4" + struct.pack("<i", 2**16) + b"\4" + struct.pack("<i", 2**16),
            "has size 4294967296; it must be in 0..65536",
        ),
        (
            b"\0BCM2 " + struct.pack("<ffii", 0, 1, 3, -4),
            "has size -4; it must be in 0..65536",
        ),
    ],
)
def test_every_other_entry_is_refused_by_name(archive: Path, entry: bytes, what: str) -> None:
    archive.write_bytes(b"u1 " + entry)
    message = f"{archive}: utterance 'u1' {what}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(archive)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"u0", "or cut off: b'u0' is no name"),
        (b"x" * 5000, f"or cut off: {b'x' * 20!r} is no name"),
        (b"\xff\xfe \0BFV ", r"not a Kaldi archive: b'\xff\xfe' is no name"),
    ],
)
def test_what_is_no_archive_is_refused(archive: Path, content: bytes, what: str) -> None:
    archive.write_bytes(content)
    with pytest.raises(InputError, match=f"{re.escape(what)}$"):
        load_embeddings(archive)


def test_lists_name_files_alone(archive: Path) -> None:
    listed = archive.with_suffix(".scp")
    listed.write_text("u0 -\n")
    with pytest.raises(InputError, match="must list places in files; got '-', the standard input"):
        load_embeddings(listed)
    listed.write_bytes(b"u0 \xff\xfe\n")
    with pytest.raises(InputError, match=r"xvector.scp: not a readable list \('utf-8' codec"):
        load_embeddings(listed)


def test_random_damage_ends_in_a_sentence(archive: Path) -> None:
    whole, chance = archive.read_bytes(), np.random.default_rng(0)
    for _ in range(500):
        damaged = bytearray(whole[: chance.integers(1, len(whole) + 1)])
        for place in chance.integers(0, len(damaged), 3):
            damaged[place] = chance.integers(256)
        archive.write_bytes(bytes(damaged))
        # Any other error fails the test.
        with suppress(InputError):
            load_embeddings(archive)


def test_a_small_archive_that_unpacks_to_much_is_refused(archive: Path) -> None:
    packed = archive.with_suffix(".ark.gz")
    entries = b"".join(
        b"u%d \0BFV \4" % i + struct.pack("<i", 1 << 16) + bytes(1 << 18) for i in range(1080)
    )
    packed.write_bytes(gzip.compress(entries))
    (archive.parent / "utt2spk").write_text("".join(f"u{i} s\n" for i in range(1080)))
    assert len(gzip.decompress(packed.read_bytes())) > 1 << 28
    with pytest.raises(InputError, match=r"ark.gz: [0-9,]{7} bytes may unpack to 268,435,456 at"):
        load_embeddings(packed)


def test_a_list_that_unpacks_an_archive_again_and_again_is_refused(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.files.limits._LEAST", 1000)
    monkeypatch.setattr("evaluation.files.limits._TIMES", 1)
    listed, packed = archive.with_suffix(".scp"), archive.with_suffix(".ark.gz")
    packed.write_bytes(gzip.compress(archive.read_bytes()))
    text = listed.read_text().replace(".ark", ".ark.gz")
    listed.write_text(text)
    assert len(load_embeddings(listed)) == 6
    places = [line.split()[1] for line in reversed(text.splitlines())] * 3
    listed.write_text("".join(f"v{i} {place}\n" for i, place in enumerate(places)))
    (archive.parent / "utt2spk").write_text("".join(f"v{i} s\n" for i in range(len(places))))
    with pytest.raises(InputError, match=r"ark.gz: .* bytes may unpack to 1,000 at most"):
        load_embeddings(listed)


def test_a_list_of_one_vector_many_times_is_refused(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line of twenty bytes may name a vector of 262 144."""
    monkeypatch.setattr("evaluation.files.limits._LEAST", 1 << 20)
    listed = archive.with_suffix(".scp")
    archive.write_bytes(b"u1 \0BFV \4" + struct.pack("<i", 1 << 16) + bytes(1 << 18))
    (archive.parent / "utt2spk").write_text("".join(f"u{i} s\n" for i in range(110)))
    listed.write_text("".join(f"u{i} xvector.ark:3\n" for i in range(90)))
    assert len(load_embeddings(listed)) == 90
    listed.write_text("".join(f"u{i} xvector.ark:3\n" for i in range(110)))
    with pytest.raises(InputError, match=r"xvector.scp: [0-9,]+ bytes may unpack to [0-9,]+ at"):
        load_embeddings(listed)


def test_a_text_of_many_lines_takes_no_time_that_grows_with_their_square(archive: Path) -> None:
    """Half a million lines: copied for each, they would be 137 GB."""
    archive.write_bytes(b"u1 [" + b"\n" * (1 << 19) + b" 1 2 ]\n")
    assert load_embeddings(archive).rows.tolist() == [[1, 2]]


@pytest.mark.parametrize("where", ["pipe.ark", "/dev/zero", "/dev/stdin"])
def test_a_list_opens_no_pipe_and_no_device(archive: Path, where: str) -> None:
    os.mkfifo(archive.with_name("pipe.ark"))
    archive.with_suffix(".scp").write_text(f"u1 {where}:0\n")
    with pytest.raises(InputError, match=r"must be a file; it is a folder, pipe or device$"):
        load_embeddings(archive.with_suffix(".scp"))


@pytest.mark.parametrize("place", ["a\0b.ark:3", f"xvector.ark:{'9' * 100}", "xvector.ark[1:²]"])
def test_a_place_of_no_file_or_number_ends_in_a_sentence(archive: Path, place: str) -> None:
    archive.with_suffix(".scp").write_text(f"u1 {place}\n")
    with pytest.raises(InputError, match=r"must list places as|no such file"):
        load_embeddings(archive.with_suffix(".scp"))
