"""Files that take another's place: their names, permissions and owners, and links to them."""

import os
import re
from pathlib import Path

import pytest

from minifloat.files.replacing import replacing
from tests.files.replaced import STRAY, write


@pytest.mark.parametrize(
    "name",
    [
        "a" * 255,
        "\N{SNOWMAN}" * 85,
        "a b\n\t'\"\\",
        "-",
        "~",
        ".tmp",
        "...",
        "caf\udce9",
        "%s{0}*?[",
    ],
    ids=ascii,
)
def test_whatever_open_takes_can_be_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"old")
    write(path)
    assert path.read_bytes() == b"new"
    path.unlink()
    write(str(path))
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert path.read_bytes() == b"new"


def test_a_path_as_long_as_open_takes_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = os.pathconf(tmp_path, "PC_PATH_MAX") - 1
    folder = tmp_path
    while len(str(folder)) < longest - 300:
        folder /= "d" * 200
    folder /= "d" * (longest - 3 - len(str(folder)))
    folder.mkdir(parents=True)
    path = folder / "r"
    assert len(str(path)) == longest
    path.write_bytes(b"old")
    monkeypatch.chdir(folder)
    Path(STRAY).touch()
    write(path)
    assert path.read_bytes() == b"new"
    assert os.listdir() == ["r"]


def test_a_name_in_the_working_folder_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("rows")
    assert (tmp_path / "rows").read_bytes() == b"new"


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / ".."):
        message = f"{path} cannot be written: it is a folder"
        with pytest.raises(IsADirectoryError, match=f"^{re.escape(message)}$"):
            write(path)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002, 0o000])
def test_new_files_have_the_permissions_of_new_files(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "rows")
    finally:
        os.umask(before)
    assert mode(tmp_path / "rows") == 0o666 & ~umask


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize("old", [0o600, 0o640, 0o664, 0o666, 0o444, 0o755])
def test_a_file_keeps_its_permissions_and_nobody_else_reads_it_meanwhile(
    tmp_path: Path, old: int
) -> None:
    path = tmp_path / "rows"
    path.touch()
    path.chmod(old)
    with replacing(path) as file:
        (unfinished,) = set(tmp_path.iterdir()) - {path}
        assert mode(unfinished) == 0o600
        os.write(file, b"new")
    assert (mode(path), path.read_bytes()) == (old, b"new")


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone gives files away")
def test_a_file_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.touch()
    os.chown(path, 12345, 23456)
    write(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


def test_a_file_whose_owner_cannot_be_kept_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(file: int, *owner: int) -> None:
        asked.append(owner)
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    path = tmp_path / "rows"
    path.touch()
    path.chmod(0o660)
    write(path)
    found = path.stat()
    assert asked == [(found.st_uid, found.st_gid), (-1, found.st_gid)]
    assert (mode(path), path.read_bytes()) == (0o660, b"new")


@pytest.mark.parametrize("there", [True, False], ids=["an old file", "nothing yet"])
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path, there: bool) -> None:
    far = tmp_path / "far"
    far.mkdir()
    if there:
        (far / "rows").write_bytes(b"old")
    (tmp_path / "near").symlink_to("far/rows")
    (far / "other").symlink_to(tmp_path / "near")
    for link in (tmp_path / "near", far / "other"):
        write(link, os.fsencode(link.name))
        assert link.is_symlink()
        assert (far / "rows").read_bytes() == os.fsencode(link.name)
        assert not (far / "rows").is_symlink()
    assert sorted(path.name for path in far.iterdir()) == ["other", "rows"]


def test_a_link_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        write(tmp_path / "a")
    assert all(path.is_symlink() for path in tmp_path.iterdir())


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    message = f"{tmp_path / 'pipe'} cannot be written: it is a device, a pipe or a socket"
    with pytest.raises(OSError, match=f"^{re.escape(message)}$"):
        write(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()
