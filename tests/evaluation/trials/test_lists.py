import gzip
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.trials.lists import load_trial_list
from tests.evaluation.trials.places import streamed

Maker = Callable[..., Path]


def write_list(path: Path, lines: list[str]) -> Path:
    text = "\n".join(lines) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["list.txt", "list.txt.gz"])
def test_a_trial_list_is_matched_by_speaker_and_utterance(
    voices: Embeddings, tmp_path: Path, name: str
) -> None:
    path = write_list(tmp_path / name, ["1 s000/000.wav s000/001.flac", "0 s000/002 s001/000.wav"])
    trials = load_trial_list(path, voices)
    assert (trials.targets, trials.nontargets, trials.speakers) == (1, 1, 2)
    scores = [float(score) for part in streamed(trials) for score in part.scores]
    assert sorted(scores) == [0 * 1000 + 1, 2 * 1000 + 6]


def test_a_trial_list_is_matched_by_utterance_alone(make_file: Maker, tmp_path: Path) -> None:
    utterance = np.array([f"id/{i}" for i in range(72)])
    voices = load_embeddings(make_file(utterance=utterance))
    path = write_list(tmp_path / "list.txt", ["1 id/0.wav id/1.wav", "", "0 ./id/0 id/6.WAV"])
    assert load_trial_list(path, voices).nontargets == 1


@pytest.mark.parametrize(
    ("utterance", "line"),
    [
        (lambda i, j: f"s{i:03}-{j:03}", "1 s000/000.wav s000/001.wav"),
        (lambda i, j: f"s{i:03}_{j:03}", "1 s000/000.wav s000/001.wav"),
        (lambda i, j: f"s{i:03}-video-{j:03}", "1 s000/video/000.wav s000/video/001.wav"),
        (lambda i, j: f"{j:03}.wav", "s000-000 s000-001 target"),
        (lambda i, j: f"s{i:03}/{j:03}.wav", "s000_000 s000_001 target"),
        (lambda i, j: f"{i}/{j}", "s000-0-0 s000-0-1 target"),
    ],
    ids=["Kaldi", "underscores", "VoxCeleb", "Kaldi's list", "list of underscores", "folders"],
)
def test_speaker_and_utterance_may_be_parted_otherwise(
    make_file: Maker, tmp_path: Path, utterance: Callable[[int, int], str], line: str
) -> None:
    names = np.array([utterance(i, j) for i in range(12) for j in range(6)])
    voices = load_embeddings(make_file(utterance=names))
    trials = load_trial_list(write_list(tmp_path / "list", [line]), voices)
    assert [float(part.scores[0]) for part in streamed(trials) if part.scores.size] == [1]


def test_names_that_are_of_two_rows_when_parted_otherwise_are_refused(
    make_file: Maker, tmp_path: Path
) -> None:
    names = np.array(["x/y-z", "x-y/z", *(f"u{i}" for i in range(70))])
    voices = load_embeddings(make_file(utterance=names))
    path = write_list(tmp_path / "list", ["1 x/y/z u2"])
    with pytest.raises(InputError, match="1 of 2 names are in several rows of voices: x/y/z; "):
        load_trial_list(path, voices)
    # What is a row's name as it stands is that row's.
    assert load_trial_list(write_list(path, ["1 x/y-z u2"]), voices).targets == 1


def test_a_list_is_of_rows_that_differ_in_speaker_or_utterance(
    make_file: Maker, tmp_path: Path
) -> None:
    """Rows are told by their number in the file, where speakers are not in order."""
    speaker = np.repeat([f"s{i:03}" for i in range(12)], 6)[::-1]
    utterance = np.tile([f"{i}.wav" for i in range(6)], 12)
    utterance[64] = "2.wav"
    voices = load_embeddings(make_file(speaker=speaker, utterance=utterance))
    path = write_list(tmp_path / "list", ["1 s000/0 s000/1"])
    message = (
        f"{path}: names rows by speaker and utterance, which must be of one row of voices; "
        "rows 62 and 64 are both s001/2.wav"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_trial_list(path, voices)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("list", ["1 s000/000 s000/001", "0 s000/002 s001/000"]),
        ("list.gz", ["1 s000/000 s000/001", "0 s000/002 s001/000"]),
        ("list.txt", ["s000/000 s000/001 target", "s000/002 s001/000 nontarget"]),
        ("list.csv", ["label,a,b", "1,s000/000,s000/001", "0,s000/002,s001/000"]),
    ],
)
def test_a_list_may_begin_with_a_byte_order_mark(
    voices: Embeddings, tmp_path: Path, name: str, lines: list[str]
) -> None:
    path = write_list(tmp_path / name, [f"\ufeff{lines[0]}", *lines[1:]])
    trials = load_trial_list(path, voices)
    assert (trials.targets, trials.nontargets) == (1, 1)


def test_names_of_kaldi_that_match_nothing_are_shown_beside_the_rows(
    make_file: Maker, tmp_path: Path
) -> None:
    names = np.array([f"s{i:03}-{j:03}" for i in range(12) for j in range(6)])
    voices = load_embeddings(make_file(utterance=names))
    path = write_list(tmp_path / "list.txt", ["1 s000/7.wav s000/001.wav"])
    message = (
        f"{path}: 1 of 2 names are in no row of voices: s000/7.wav; "
        "names are utterances ('s000-000') or speaker/utterance ('s000/000')"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_trial_list(path, voices)


def test_a_trial_list_needs_names_of_rows(make_file: Maker, tmp_path: Path) -> None:
    voices = load_embeddings(make_file(utterance=None))
    path = write_list(tmp_path / "list.txt", ["1 s000/000.wav s000/001.wav"])
    message = (
        "list.txt: names rows by their utterance, which voices does not have: "
        "its .npz must hold an array 'utterance' of 72 names"
    )
    with pytest.raises(InputError, match=f"{message}$"):
        load_trial_list(path, voices)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("trials", ["s000/000 s000/001 target", "", "s000/002 s001/000 nontarget"]),
        ("trials.csv", ["left,Label,right", "s000/000.wav,target,s000/001", "s000/002,0,s001/000"]),
        ("trials.csv.gz", ["label,a,b", '1,"s000/000",s000/001', "0,s000/002,s001/000"]),
    ],
    ids=["Kaldi", "CSV", "packed CSV"],
)
def test_other_forms_give_the_same_trials(
    voices: Embeddings, tmp_path: Path, name: str, lines: list[str]
) -> None:
    trials = load_trial_list(write_list(tmp_path / name, lines), voices)
    scores = [(float(part.scores[0]), part.target) for part in streamed(trials) if part.scores.size]
    assert sorted(scores) == [(0 * 1000 + 1, True), (2 * 1000 + 6, False)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["enrol,test"],
            r"list.csv: must have three columns, one of them 'label'; got enrol, test$",
        ),
        ([""], r"list.csv: must have three columns, one of them 'label'; got none$"),
        (["label,a,b", "2,x,y"], r"line 2: must be two names and a label of 0, .*; got '2,x,y'$"),
        (["label,a,b", "1, ,y"], r"line 2: must be two names and a label of 0, .*; got '1, ,y'$"),
        (
            ["label,label,b"],
            r"must have three columns, one of them 'label'; got label, label, b$",
        ),
        (["label,a,b", "1,x"], r"line 2: must be two names .*; got '1,x'"),
    ],
)
def test_unusable_csv_lists_say_what_is_wrong(
    voices: Embeddings, tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_trial_list(write_list(tmp_path / "list.csv", lines), voices)


def test_a_list_keeps_to_the_form_of_its_first_line(voices: Embeddings, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list", ["s000/000 s000/001 target", "1 s000/000 s000/001"])
    with pytest.raises(InputError, match="line 2: must be 'name name label' with a label of"):
        load_trial_list(path, voices)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["1 s000/000 x/1", "0 x/2 x/3", "0 x/4 x/1"],
            r"list.txt: 4 of 5 names are in no row of voices: x/1, x/2, x/3, \.\.\.; "
            r"names are utterances \('000.wav'\) or speaker/utterance \('s000/000.wav'\)$",
        ),
        (["0 000.wav s001/001.wav"], r"1 of 2 names are in several rows of voices: 000.wav; "),
        (
            ["1 s000/000 s000/001", "maybe a b"],
            r"line 2: must be 'label path path' with a label of 0 or 1; got 'maybe a b'",
        ),
        (["1 only"], r"line 1: must be .*; got '1 only'"),
        (["0 s000/000 s000/001"], r"1 of 1 are not, first 0 for '000.wav' and '001.wav'"),
        ([""], r"must hold at least one trial; got none"),
    ],
)
def test_unusable_trial_lists_say_what_is_wrong(
    voices: Embeddings, tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_trial_list(write_list(tmp_path / "list.txt", lines), voices)


def test_unreadable_trial_lists_are_refused(voices: Embeddings, tmp_path: Path) -> None:
    (tmp_path / "list.gz").write_bytes(b"not gzip")
    with pytest.raises(InputError, match=r"list.gz: not a readable trial list"):
        load_trial_list(tmp_path / "list.gz", voices)
    with pytest.raises(InputError, match=r"absent.txt: no such file"):
        load_trial_list(tmp_path / "absent.txt", voices)


def test_a_small_list_that_unpacks_to_much_is_refused(tmp_path: Path, voices: Embeddings) -> None:
    path = tmp_path / "list.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(257):
            file.write(bytes(1 << 20))
    with pytest.raises(InputError, match=r"list.gz: .* bytes may unpack to 268,435,456 at most"):
        load_trial_list(path, voices)
