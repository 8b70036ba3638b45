import os
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.command.errors import InputError
from evaluation.recordings.found import FoundRecordings
from evaluation.recordings.recordings import find_recordings

CHANNEL = "UC--EryqEbhW-VtG80N21TdA"


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")


def who_and_what(found: FoundRecordings) -> list[tuple[str, str]]:
    return [(one.speaker, one.utterance) for one in found.recordings]


def test_the_first_folder_names_the_speaker(tmp_path: Path) -> None:
    put(tmp_path, "b/2.wav", "a/1.FLAC", "b/day/1.m4a", "a/notes.txt", "b/._2.wav")
    found = find_recordings(tmp_path)
    assert who_and_what(found) == [("a", "1"), ("b", "2"), ("b", "day/1")]
    assert [one.name for one in found.recordings] == ["a/1.FLAC", "b/2.wav", "b/day/1.m4a"]
    assert {one.size for one in found.recordings} == {5}


@pytest.mark.parametrize("above", ["", "wav/", "dev/aac/"])
def test_voxceleb_is_recognised_at_any_depth(tmp_path: Path, above: str) -> None:
    put(tmp_path, f"{above}id10270/5r0dWxy17C8/00001.wav", f"{above}id10309/0b1/00002.wav")
    expected = [("id10270", "5r0dWxy17C8/00001"), ("id10309", "0b1/00002")]
    assert who_and_what(find_recordings(tmp_path)) == expected


def test_voxtube_is_recognised_by_its_channels(tmp_path: Path) -> None:
    put(tmp_path, f"audio/{CHANNEL}/0GSmioPWEQo/segment_15.wav")
    assert who_and_what(find_recordings(tmp_path)) == [(CHANNEL, "0GSmioPWEQo/segment_15")]


def test_a_layout_that_is_given_holds_for_all(tmp_path: Path) -> None:
    put(tmp_path, "id10270/a/00001.wav", "wav/id10309/b/00002.wav", "other/1.wav")
    found = find_recordings(tmp_path, layout="voxceleb")
    assert who_and_what(found) == [("id10270", "a/00001"), ("id10309", "b/00002")]
    assert [(s.name, s.reason) for s in found.skipped] == [
        ("other/1.wav", "lies in no folder of a speaker")
    ]
    first = ["id10270", "other", "wav"]
    assert [s for s, _ in who_and_what(find_recordings(tmp_path, layout="folders"))] == first


def test_a_list_names_speakers_and_paths_from_its_own_folder(tmp_path: Path) -> None:
    put(tmp_path, "x/1.wav", "y/2.wav", "y/3.wav")
    lines = ["path,speaker,utterance", "x/1.wav,ann,one", "y/2.wav,bob,", "y/3.wav,y,"]
    (tmp_path / "list.csv").write_text("\n".join([*lines, "gone.wav,bob,"]))
    found = find_recordings(tmp_path / "list.csv")
    assert who_and_what(found) == [("ann", "one"), ("bob", "y/2"), ("y", "3")]
    assert all(one.path.exists() for one in found.recordings)
    assert [s.reason for s in found.skipped] == ["cannot be opened: No such file or directory"]


def taken(found: FoundRecordings) -> list[str]:
    return [one.name for one in found.recordings]


def reasons(found: FoundRecordings) -> dict[str, str]:
    return {one.name: one.reason for one in found.skipped}


@pytest.mark.parametrize("link", ["0", "loop", "a/day/0", "b/deep/er"])
def test_a_folder_keeps_its_name_whatever_links_to_it(tmp_path: Path, link: str) -> None:
    put(tmp_path, "a/1.wav", "a/day/2.wav", "b/deep/3.wav")
    (tmp_path / link).symlink_to(tmp_path / "a")
    found = find_recordings(tmp_path)
    assert taken(found) == ["a/1.wav", "a/day/2.wav", "b/deep/3.wav"]
    assert reasons(found) == {link: "leads to 'a', whose recordings are taken there"}


def test_links_that_lead_in_circles_end(tmp_path: Path) -> None:
    put(tmp_path, "a/1.wav")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "c").symlink_to(tmp_path / "c")
    found = find_recordings(tmp_path)
    assert taken(found) == ["a/1.wav"]
    assert reasons(found) == {
        "a/loop": "leads to '.', whose recordings are taken there",
        "b": "leads to 'a', whose recordings are taken there",
    }


def test_links_that_leave_the_folder_are_followed(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/a/1.wav", "elsewhere/a/day/2.wav", "elsewhere/3.wav", "data/b/4.wav")
    data = tmp_path / "data"
    (data / "c").symlink_to(tmp_path / "elsewhere" / "a")
    (data / "d").symlink_to(tmp_path / "elsewhere")
    (data / "b" / "5.wav").symlink_to(tmp_path / "elsewhere" / "3.wav")
    (data / "e").symlink_to(data)
    (tmp_path / "linked").symlink_to(data)
    for root in (data, tmp_path / "linked"):
        found = find_recordings(root)
        assert taken(found) == ["b/4.wav", "b/5.wav", "c/1.wav", "c/day/2.wav", "d/3.wav"]
        assert reasons(found) == {
            "d/a": "leads to 'c', whose recordings are taken there",
            "e": "leads to '.', whose recordings are taken there",
        }


def test_a_link_to_what_lies_above_reads_the_folder_once(tmp_path: Path) -> None:
    put(tmp_path, "data/a/1.wav", "beside/2.wav")
    (tmp_path / "data" / "up").symlink_to(tmp_path)
    found = find_recordings(tmp_path / "data")
    assert taken(found) == ["a/1.wav", "up/beside/2.wav"]
    assert reasons(found) == {"up/data": "leads to '.', whose recordings are taken there"}


def test_a_name_that_is_not_utf8_is_skipped(tmp_path: Path) -> None:
    put(tmp_path, "a/1.wav", "a/\udcff.wav")
    assert [s.reason for s in find_recordings(tmp_path).skipped] == ["has a name that is not UTF-8"]


def empty(root: Path) -> Path:
    return root


def without_speakers(root: Path) -> Path:
    put(root, "1.wav")
    return root


def absent(root: Path) -> Path:
    return root / "absent"


def twice(root: Path) -> Path:
    put(root, "a/1.wav", "a/1.flac")
    return root


def no_columns(root: Path) -> Path:
    (root / "list.csv").write_text("file,speaker\n1.wav,a")
    return root / "list.csv"


def not_utf8(root: Path) -> Path:
    (root / "list.csv").write_bytes("path,speaker\n1.wav,Jürgen".encode("latin-1"))
    return root / "list.csv"


def no_speaker(root: Path) -> Path:
    (root / "list.csv").write_text("path,speaker\n1.wav,")
    return root / "list.csv"


def a_list(text: str) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        put(root, "a/1.wav", "a/2.wav")
        (root / "list.csv").write_text(text, encoding="utf-8")
        return root / "list.csv"

    return make


def nobody(root: Path) -> Path:
    put(root, "a/1.wav", "nan/1.wav")
    return root


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (empty, r"no recordings \(.wav, .*\) in folders of speakers$"),
        (without_speakers, "; 1.wav lies in no folder of a speaker"),
        (absent, "absent: no such file$"),
        (twice, r"a/1.flac and a/1.wav are both a/1$"),
        (no_columns, "must have the columns speaker and path; path missing, found file, speaker"),
        (not_utf8, r"list.csv: not a readable CSV file \('utf-8' codec can't decode .*\)$"),
        (no_speaker, "line 2: speaker and path must not be empty"),
        (a_list("path,speaker\na/1.wav, \n"), "line 2: speaker and path must not be empty"),
        (
            a_list("path,speaker,utterance\na/1.wav,a,None\n"),
            "list.csv: every recording must have a speaker and utterance; the utterance of a/1.wav "
            "is 'None', which stands for none$",
        ),
        (nobody, "the speaker of nan/1.wav is 'nan', which stands for none$"),
        (
            a_list("path,speaker\na/1.wav,a\na/2.wav,a\n./a/1.wav,b\n"),
            "list.csv: path './a/1.wav' must come once; it is in line 2 and in line 4$",
        ),
        (
            a_list("path,speaker,speaker\na/1.wav,a,b\n"),
            "list.csv: column 'speaker' must come once; it is in column 2 and in column 3$",
        ),
        (a_list("path,speaker\n.,a\n"), r"list.csv: not a readable CSV file \("),
        (lambda root: Path("/dev/null"), "null: must be a file; it is a folder, pipe or device$"),
    ],
)
def test_unusable_data_is_named(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_recordings(make(tmp_path))


def test_a_list_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    found = find_recordings(a_list("\ufeffspeaker,path\na,a/1.wav\n")(tmp_path))
    assert [one.speaker for one in found.recordings] == ["a"]


def test_an_unknown_layout_is_named(tmp_path: Path) -> None:
    message = "layout must be one of auto, folders, voxceleb, voxtube; got 'timit'"
    with pytest.raises(InputError, match=f"^{message}$"):
        find_recordings(tmp_path, layout="timit")


def test_a_pipe_or_a_device_among_recordings_is_not_opened(tmp_path: Path) -> None:
    """Who opens a pipe waits for its writer, and a device may never end."""
    put(tmp_path, "a/1.wav")
    os.mkfifo(tmp_path / "a" / "2.wav")
    (tmp_path / "a" / "3.wav").symlink_to("/dev/zero")
    (tmp_path / "list.csv").write_text("speaker,path\na,a/1.wav\na,a/2.wav\na,a\n")
    for data, names in (
        (tmp_path, ["a/2.wav", "a/3.wav"]),
        (tmp_path / "list.csv", ["a", "a/2.wav"]),
    ):
        found = find_recordings(data)
        assert [one.name for one in found.recordings] == ["a/1.wav"]
        assert [one.name for one in found.skipped] == names
        assert {one.reason for one in found.skipped} == {"is no file, but a folder, pipe or device"}
