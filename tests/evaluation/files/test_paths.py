"""What may be given for a path, and how each command says that it cannot use it."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.__main__ import main
from evaluation.command.errors import InputError
from evaluation.files.writing import make_folder, write_whole

Maker = Callable[..., Path]
QUICK = ("--formats", "e2m1", "--draws", "5", "--out", "{out}")
EXTRACT = ("extract", "--model", "{model}", "--out", "{out}/x.safetensors")
KALDI = ("bitdepth", "{ark}", "--utt2spk", "{path}.txt", *QUICK)

# Commands with an option that takes a file, and a name of its kind.
READ = {
    "npz": ("bitdepth", "{path}.npz", *QUICK),
    "npy": ("separation", "{path}.npy", *QUICK),
    "ark": ("bitdepth", "{path}.ark", *QUICK),
    "ark.gz": ("bitdepth", "{path}.ark.gz", *QUICK),
    "scp": ("bitdepth", "{path}.scp", *QUICK),
    "json": ("separation", "{path}.json", *QUICK),
    "safetensors": ("bitdepth", "{path}.safetensors", *QUICK),
    "utt2spk": KALDI,
    "trials": ("bitdepth", "{voices}", "--trials", "{path}.txt", *QUICK),
    "trials.gz": ("bitdepth", "{voices}", "--trials", "{path}.gz", *QUICK),
    "trials.csv": ("bitdepth", "{voices}", "--trials", "{path}.csv", *QUICK),
    "cohort": ("bitdepth", "{voices}", "--cohort", "{path}.npz", *QUICK),
    "study": ("bitdepth", "--study", "{path}.toml"),
    "data": (*EXTRACT, "--data", "{path}.csv"),
    "extract": ("extract", "--model", "x:y", "--data", "{data}", "--out", "{path}/x.safetensors"),
    "weights": (
        "extract",
        "--model",
        "campplus",
        "--weights",
        "{path}.pt",
        "--data",
        "{data}",
        "--out",
        "{out}/x.safetensors",
    ),
    "embeddings": ("probe", "--model", "x:y", "--embeddings", "{path}.npz", "--out", "{out}"),
    "clips": ("probe", "--model", "campplus", "--clips", "{path}.csv", "--out", "{out}"),
}
KINDS = ("folder", "missing", "device", "unreadable", "binary", "empty", "circle")


def put(path: Path, kind: str) -> None:
    if kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/null")
    elif kind == "circle":
        path.symlink_to(path)
    elif kind != "missing":
        path.write_bytes(np.random.default_rng(0).bytes(3000) if kind == "binary" else b"")
    if kind == "unreadable":
        path.chmod(0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("option", READ)
def test_what_no_option_can_use_ends_in_one_line(
    make_file: Maker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    option: str,
    kind: str,
) -> None:
    (tmp_path / "a.ark").write_text("u1 [ 1 2 ]\n")
    (tmp_path / "data" / "s").mkdir(parents=True)
    (tmp_path / "data" / "s" / "1.wav").touch()
    places = {
        "path": tmp_path / "given",
        "voices": make_file(),
        "ark": tmp_path / "a.ark",
        "data": tmp_path / "data",
        "out": tmp_path / "out",
        "model": "x:y",
    }
    arguments = [one.format(**places) for one in READ[option]]
    for one in arguments:
        if one.startswith(str(places["path"])):
            put(tmp_path / Path(one).relative_to(tmp_path).parts[0], kind)
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(r"error: .+\n", told), told


@pytest.mark.parametrize("study", ["bitdepth", "probe"])
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("device", "File exists"),
        ("empty", "File exists"),
        ("circle", "File exists"),
        ("below", "Not a directory"),
    ],
)
def test_a_place_that_is_no_folder_is_refused_before_anything_is_measured(
    make_file: Maker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    study: str,
    kind: str,
    why: str,
) -> None:
    out = tmp_path / "out"
    put(out, "empty" if kind == "below" else kind)
    out = out / "deeper" if kind == "below" else out
    given = {"bitdepth": [str(make_file())], "probe": ["--model", "x:y"]}[study]
    assert main([study, *given, "--out", str(out)]) == 2
    assert capsys.readouterr() == (
        "",
        f"error: {out}: must be a folder that files can be written to ({why})\n",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match=r"written to \(its permissions forbid it\)$"):
        make_folder(tmp_path)


def test_a_folder_in_the_place_of_a_file_that_is_written_is_told(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.mkdir()
    message = f"{place} cannot be written: it is a folder"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        write_whole(place, "text")
    assert [*tmp_path.iterdir()] == [place]
