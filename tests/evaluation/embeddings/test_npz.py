"""Files that are given as .npz archives, and the arrays in them."""

import gzip
import io
import pickle
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import load_embeddings
from tests.support.attack import Attack

Maker = Callable[..., Path]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent.npz: no such file"):
        load_embeddings(tmp_path / "absent.npz")


@pytest.mark.parametrize("content", [b"not an archive", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken.npz: not a readable .npz archive"):
        load_embeddings(path)


SAVE = "np.savez(FILE, embeddings=..., speaker=...) writes one"


def array_file(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asanyarray(array), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("x.npz", b"", "an empty file"),
        ("x.npy", array_file(np.ones(3)), f"a single .npy array: {SAVE}"),
        (
            "x.npy",
            array_file({"embeddings": [1]}),
            f"a single .npy array of Python objects, such as a dict: {SAVE}",
        ),
        ("x.pkl", pickle.dumps({"embeddings": [1]}), f"a pickle, which is not run: {SAVE}"),
        (
            "xvector.gz",
            gzip.compress(b"u1 [ 1 2 ]"),
            "a .gz file: unpack it, or if it is Kaldi's let its name end in .ark.gz or .scp.gz",
        ),
    ],
    ids=["empty", "array", "dict", "pickle", "gz"],
)
def test_what_is_often_given_for_an_archive_is_called_by_its_name(
    tmp_path: Path, name: str, content: bytes, what: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=f"^{re.escape(f'{path}: must be an .npz archive; got {what}')}$"
    ):
        load_embeddings(path)


def write_npz(path: Path, *, compression: int = zipfile.ZIP_STORED, **members: bytes) -> Path:
    usual = {
        "embeddings": npy(np.ones((4, 2), np.float32)),
        "speaker": npy(np.array(["a", "b"] * 2)),
    }
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in (usual | members).items():
            archive.writestr(f"{name}.npy", content)
    return path


def npy(array: np.ndarray, **header: object) -> bytes:
    """An array as a file, with another shape or type in its header than it has."""
    file = io.BytesIO()
    own = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(file, own | header)
    return file.getvalue() + array.tobytes()


def test_pickles_in_arrays_are_not_run(make_file: Maker, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    path = make_file(speaker=np.array([Attack(victim)] * 72))
    with pytest.raises(InputError, match="speaker holds Python objects"):
        load_embeddings(path)
    assert not victim.exists()
    # The attack is one.
    np.load(path, allow_pickle=True)["speaker"]
    assert victim.exists()


def test_a_small_archive_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    zeros = npy(np.zeros(((1 << 26) + 1, 1), np.float32))
    path = write_npz(tmp_path / "x.npz", compression=zipfile.ZIP_DEFLATED, embeddings=zeros)
    assert path.stat().st_size < 1 << 19
    tracemalloc.start()
    with pytest.raises(InputError, match=r"bytes may unpack to 268,435,456 at most; got 268,435"):
        load_embeddings(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 20


@pytest.mark.parametrize(
    ("name", "header"),
    [("embeddings", {"shape": (1 << 40, 2)}), ("speaker", {"descr": "<U500000000"})],
)
def test_a_header_takes_no_memory_that_the_array_does_not_fill(
    tmp_path: Path, name: str, header: dict[str, object]
) -> None:
    content = npy(np.zeros((4, 2), np.float32), **header)
    members: dict[str, Any] = {name: content}
    path = write_npz(tmp_path / "x.npz", **members)
    with np.load(path) as archive, pytest.raises((MemoryError, ValueError)):
        archive[name]
    with pytest.raises(InputError, match=rf"x.npz: {name} says that it is .*, and has 32 bytes$"):
        load_embeddings(path)


@pytest.mark.parametrize(
    ("speaker", "message"),
    [
        (np.zeros(4, [("a", "i4")]), "speaker must be strings or numbers; got"),
        (np.zeros(4, np.complex64), "speaker must be strings or numbers; got complex64"),
        (np.array([b"a", b"u\xc3\xbc", b"\xff", b"b"]), r"must be UTF-8; row 2 is b'\\xff'$"),
        (
            np.array([97, 98, 99, 0xD800], "<u4").view("<U1"),
            "speaker must be text; row 3 holds the character 0xd800$",
        ),
        (
            np.array([0x110000] * 4, "<u4").view("<U1"),
            "speaker must be text; row 0 holds the character 0x110000$",
        ),
        (np.zeros(4, "<M8[s]"), r"speaker must be strings or numbers; got datetime64\[s\]"),
    ],
)
def test_labels_that_are_no_text_are_refused(
    tmp_path: Path, speaker: np.ndarray, message: str
) -> None:
    descr = np.lib.format.dtype_to_descr(speaker.dtype)
    path = write_npz(tmp_path / "x.npz", speaker=npy(speaker, descr=descr))
    with pytest.raises(InputError, match=message):
        load_embeddings(path)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("name", ["speaker.npy", "speaker"])
def test_an_array_that_is_there_twice_is_refused(tmp_path: Path, name: str) -> None:
    path = write_npz(tmp_path / "x.npz")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, npy(np.array(["a", "b", "b", "b"])))
    message = f"{path}: array speaker must come once; it is in entry 2 and in entry 3"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [(8, 1, "is encrypted"), (10, 99, "compression method is not supported")],
)
def test_an_archive_that_is_encrypted_or_packed_in_an_unknown_way_is_refused(
    tmp_path: Path, field: int, value: int, message: str
) -> None:
    path = write_npz(tmp_path / "x.npz")
    content = bytearray(path.read_bytes())
    content[field - 2] = content[content.index(b"PK\1\2") + field] = value
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"x.npz: not a readable .npz archive \(.*{message}"):
        load_embeddings(path)


def test_a_member_that_is_no_array_is_refused(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "x.npz", speaker=b"who speaks")
    with pytest.raises(InputError, match=r"x.npz: not a readable .npz archive \("):
        load_embeddings(path)
