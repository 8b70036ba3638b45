import csv
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import minifloat as mf
from evaluation.__main__ import main
from evaluation.page.outcome import UNFINISHED
from evaluation.separation import run as run_module
from evaluation.separation import study as study_module
from evaluation.separation.speaker_map import MapOptions

Maker = Callable[..., Path]
NAMES = ("one", "three")


@pytest.fixture(scope="module")
def outputs(make_file_in: Maker, tmp_path_factory: pytest.TempPathFactory, quick_map: None) -> Path:
    folder = tmp_path_factory.mktemp("separation")
    files = [str(make_file_in(folder, name=name, seed=len(name), spread=1.5)) for name in NAMES]
    out = folder / "report"
    assert main(["separation", *files, "--draws", "20", "--out", str(out)]) == 0
    return out


def test_the_command_writes_all_outputs_and_nothing_else(outputs: Path) -> None:
    kinds = ("map", "map-first", "distances", "map-e2m1", "distances-e2m1")
    figures = {f"{name}-{kind}.svg" for name in NAMES for kind in kinds} | {"formats.svg"}
    assert {path.name for path in outputs.iterdir()} == figures | {"metrics.csv", "report.html"}
    for name in figures:
        assert (outputs / name).stat().st_size < 300_000


def test_the_metrics_hold_every_step_in_plain_numbers(outputs: Path) -> None:
    with (outputs / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # Cosine distances of all, maps of float32 and of E2M1 as it is, scaled and framed.
    assert len(rows) == 2 * (3 + 3 * len(mf.FORMATS) + 4)
    for row in rows:
        words = {row.pop(name) for name in ("model", "format", "prepared", "space")}
        assert all(words)
        assert all(float(value) == float(value) for value in row.values())
        for metric in ("oiidd", "ccr", "silhouette"):
            low, value, high = (float(row[metric + end]) for end in ("_low", "", "_high"))
            assert low <= high
            assert float(row["ccr"]) == int(float(row["ccr"])) <= int(row["vectors"])
            assert value >= (-1 if metric == "silhouette" else 0)


def test_the_report_needs_nothing_but_itself(outputs: Path) -> None:
    page = (outputs / "report.html").read_text()
    assert "http:" not in page
    assert "https:" not in page
    assert not re.search(r"<(link|img|iframe)\b|<script [^>]*src|@import|url\((?!#)", page)
    # Maps hold an image each, which is part of the page.
    assert {link[:5] for link in re.findall(r'href="([^"]*)', page)} - {"data:"} == {
        link[:5] for link in re.findall(r'href="(#[^"]*)', page)
    }


def test_no_id_of_the_report_occurs_twice_and_every_reference_has_one(outputs: Path) -> None:
    page = (outputs / "report.html").read_text()
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) <= set(ids)


def test_the_report_tells_how_it_was_made(outputs: Path) -> None:
    page = (outputs / "report.html").read_text()
    for part in ("n_neighbors 15, min_dist 0.1, metric cosine", "random_state 0", "umap-learn 0."):
        assert part in page
    assert len(re.findall(r'<svg role="img" aria-label="[^"]{40,}"', page)) == 11


def test_a_second_run_writes_the_same_bytes(
    make_file: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_map: None
) -> None:
    monkeypatch.chdir(tmp_path)
    make_file(name="voices")
    texts = []
    for _ in range(2):
        assert main(["separation", "voices.npz", "--draws", "5", "--formats", "e2m1"]) == 0
        out = tmp_path / "separation-report"
        texts.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert texts[0] == texts[1]


@pytest.mark.parametrize("size", [0, 1e-42, 1e-4, 1e4, 1e30], ids=str)
def test_values_of_any_size_make_a_report(
    make_file: Maker, tmp_path: Path, size: float, quick_map: None
) -> None:
    values = np.random.default_rng(0).standard_normal((72, 4))
    path = make_file(embeddings=(size * values).astype(np.float32))
    arguments = ["--formats", "e5m2", "--draws", "5", "--out", str(tmp_path / "report")]
    assert main(["separation", str(path), *arguments]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--formats", "e4m4"], "format must be one of e5m2, .*; got 'e4m4'"),
        (["--draws", "0"], "--draws must be at least 1; got 0"),
        (["--seed", "-1"], r"--seed must be at least 0 and below 2\^32; got -1"),
        (["--umap-min-dist", "nan"], "--umap-min-dist must be from 0 to 1; got nan"),
        (["--umap-neighbors", "72"], "--umap-neighbors must be from 2 to 71, .*; got 72"),
        (
            ["--formats", "e2m1,e5m2", "--umap-formats", "e3m4"],
            "--umap-formats must be among --formats, e5m2, e2m1; got 'e3m4'",
        ),
    ],
)
def test_unusable_options_are_named(
    make_file: Maker, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["separation", str(make_file()), *arguments]) == 2
    assert re.search(f"^error: .*{message}", capsys.readouterr().err, re.MULTILINE)


def test_umap_is_missed_before_anything_is_measured(
    make_file: Maker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    monkeypatch.setattr(run_module, "separation_study", None)
    assert main(["separation", str(make_file())]) == 2
    assert 'needs umap, which is not installed; pip install "minifloat[separation]"' in (
        capsys.readouterr().err
    )


def test_an_interrupted_study_keeps_what_was_finished(
    make_file: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(rows: NDArray[np.float32], options: MapOptions) -> Iterator[None]:
        raise KeyboardInterrupt

    monkeypatch.setattr(study_module, "speaker_map", interrupted)
    out = tmp_path / "report"
    arguments = ["--formats", "e2m1", "--draws", "5", "--out", str(out)]
    assert main(["separation", str(make_file()), *arguments]) == 130
    assert [path.name for path in out.iterdir()] == [UNFINISHED]
    with (out / UNFINISHED).open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 6


def test_a_study_file_holds_the_options(make_file: Maker, tmp_path: Path, quick_map: None) -> None:
    make_file(name="voices")
    study = tmp_path / "study.toml"
    study.write_text('files = ["voices.npz"]\nformats = ["e2m1"]\ndraws = 5\numap_min_dist = 0.5\n')
    out = tmp_path / "report"
    assert main(["separation", "--study", str(study), "--out", str(out)]) == 0
    assert "min_dist 0.5" in (out / "report.html").read_text()
