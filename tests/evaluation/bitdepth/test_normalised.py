"""The study of scores that a cohort normalises."""

import csv
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import det_curve

import minifloat as mf
from evaluation.__main__ import main
from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.metrics.nearest import RECALL10
from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.bitdepth.study import Task, bitdepth_study
from evaluation.bitdepth.tables.overflow import overflow
from evaluation.command.errors import InputError
from evaluation.embeddings.cohort import Cohort, load_cohort
from evaluation.embeddings.embeddings import Embeddings, at_unit_length, load_embeddings
from evaluation.statistics.histogram import ScoreHistogram
from evaluation.stored.conversion import stored_rows
from evaluation.trials.pairs import AllPairs
from tests.evaluation.bitdepth.tasks import told

Maker = Callable[..., Path]


@pytest.fixture
def make_cohort(make_file: Maker) -> Maker:
    speakers = [f"c{i:03}" for i in range(30) for _ in range(4)]
    return partial(make_file, name="cohort", speakers=30, utterances=4, seed=1, speaker=speakers)


@pytest.fixture
def overlapping(make_file: Maker) -> Embeddings:
    """Voices that are confused often enough for rates to differ."""
    return load_embeddings(make_file(speakers=20, spread=1.6))


@pytest.fixture
def cohort(make_cohort: Maker, overlapping: Embeddings) -> Cohort:
    return load_cohort(make_cohort(), overlapping, top=10)


def task_of(embeddings: Embeddings, cohort: Cohort, *, far: float | None = None) -> Task:
    return Task(
        name="voices",
        embeddings=embeddings,
        trials=AllPairs(embeddings),
        operating_point=OperatingPoint(far=far, reach=64),
        cohort=cohort,
    )


def test_rates_are_those_of_a_det_curve_of_normalised_scores(
    overlapping: Embeddings, cohort: Cohort
) -> None:
    study = bitdepth_study(task_of(overlapping, cohort), formats=[mf.E2M1], draws=30)
    i, j = np.triu_indices(len(overlapping), 1)
    same = overlapping.speaker[i] == overlapping.speaker[j]
    seen = []
    for result in study.results:
        if result.condition.prepared == "frame":
            continue
        # A cohort's rows come back from storage as those of a model that is stored so.
        others = Embeddings(
            name="cohort",
            rows=cohort.rows,
            speaker=np.arange(len(cohort.rows), dtype=np.int32),
            speaker_names=[],
            utterance=None,
            sha256="",
        )
        unit = at_unit_length(stored_rows(overlapping, result.condition))
        near = unit @ at_unit_length(stored_rows(others, result.condition)).T
        near = np.sort(near, axis=1)[:, -cohort.top :]
        side = (unit @ unit.T - near.mean(axis=1)[:, None]) / near.std(axis=1)[:, None]
        scores = ((side + side.T) / 2)[i, j]
        far, frr, _ = det_curve(same, scores)
        k = np.argmin(np.abs(far - frr))
        row = result.row
        assert row[EER].value == pytest.approx((far[k] + frr[k]) / 2, abs=5e-3)
        threshold = study.float32.threshold
        assert row[FAR].value == pytest.approx((scores[~same] >= threshold).mean(), abs=1e-4)
        assert row[FRR].value == pytest.approx((scores[same] < threshold).mean(), abs=1e-3)
        assert row[EER].low <= row[EER].value <= row[EER].high
        seen.append(row[EER].value)
    assert len(set(seen)) > 2
    assert study.float32[FAR].change_low == study.float32[FAR].change_high == 0


def test_normalising_changes_decisions_and_not_what_is_nearest(
    overlapping: Embeddings, cohort: Cohort
) -> None:
    raw = Task(name="voices", embeddings=overlapping, trials=AllPairs(overlapping))
    before, after = (
        bitdepth_study(task, formats=[mf.E2M1], draws=5)
        for task in (raw, task_of(overlapping, cohort))
    )
    assert before.float32[EER].value != after.float32[EER].value
    assert before.float32.trials == "all pairs of recordings"
    assert after.float32.trials == (
        "all pairs of recordings, scores normalised by the 10 nearest of 30 speakers of cohort.npz"
    )
    for one, other in zip(before.results, after.results, strict=True):
        assert one.row[RECALL10] == other.row[RECALL10]


def test_scores_beyond_a_cosines_are_counted_and_drawn_where_they_are(
    overlapping: Embeddings, cohort: Cohort
) -> None:
    scores = bitdepth_study(task_of(overlapping, cohort), formats=[], draws=5).results[0].scores
    assert scores.reach == 64
    places = np.flatnonzero(scores.targets + scores.nontargets)
    lowest, highest = (places[[0, -1]] / 1024 - 1) * 64
    assert -20 < lowest < -1 < 1 < highest < 20


def test_the_far_of_a_point_is_that_of_normalised_scores(
    overlapping: Embeddings, cohort: Cohort
) -> None:
    row = bitdepth_study(task_of(overlapping, cohort, far=0.02), formats=[], draws=5).float32
    assert row[FAR].value == pytest.approx(0.02, abs=2e-4)
    assert abs(row.threshold) > 1


def test_a_threshold_that_no_score_is_counted_beyond_is_told() -> None:
    histogram = ScoreHistogram(reach=64)
    histogram.add(np.array([80, 90], np.float32), target=True)
    histogram.add(np.array([70, 0], np.float32), target=False)
    message = r"scores are counted up to 64, and the threshold where the FAR of float32 is 10.%"
    with pytest.raises(InputError, match=message):
        OperatingPoint(far=0.1, reach=64).threshold(histogram)
    assert OperatingPoint(far=0.5, reach=64).threshold(histogram) < 1


def test_overflow_of_cosines_is_not_told_of_normalised_scores(
    overlapping: Embeddings, cohort: Cohort
) -> None:
    study = bitdepth_study(task_of(overlapping, cohort), formats=[mf.E3M4], draws=5)
    assert overflow(told(study)) is None


def test_a_report_of_normalised_scores_says_so(
    make_file: Maker, make_cohort: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort, out = make_cohort(), tmp_path / "report"
    arguments = ["--formats", "e2m1", "--draws", "5", "--out", str(out), "--cohort-top", "12"]
    assert main(["bitdepth", str(make_file()), "--cohort", str(cohort), *arguments]) == 0
    words = "scores normalised by the 12 nearest of 30 speakers of cohort.npz"
    assert words in capsys.readouterr().out
    page = (out / "report.html").read_text()
    for text in (words, "where their normalised score reaches a threshold", "The cohort is stored"):
        assert text in page
    assert "between thresholds 1/8,192 apart" in page
    assert "voices, cohort" in page
    assert load_embeddings(cohort).sha256 in page
    assert "normalised score" in (out / "voices-scores.svg").read_text()
    with (out / "metrics.csv").open(newline="") as file:
        assert all(row["trials"].endswith(words) for row in csv.DictReader(file))


def test_a_study_file_names_cohorts_relative_to_it(
    make_file: Maker, make_cohort: Maker, tmp_path: Path
) -> None:
    path, cohort = make_file(), make_cohort()
    study = tmp_path / "study.toml"
    study.write_text(
        'files = ["voices.npz"]\ncohort = ["cohort.npz"]\ncohort_top = 12\nformats = "e2m1"\n'
        'draws = 5\nout = "report"\n'
    )
    out = tmp_path / "report" / "metrics.csv"
    assert main(["bitdepth", "--study", str(study)]) == 0
    from_study = out.read_bytes()
    assert b"the 12 nearest of 30 speakers" in from_study
    arguments = ["--cohort-top=12", "--formats=e2m1", "--draws=5", f"--out={out.parent}"]
    assert main(["bitdepth", str(path), f"--cohort={cohort}", *arguments]) == 0
    assert out.read_bytes() == from_study


def test_trial_lists_and_cones_are_normalised_too(
    make_file: Maker, make_cohort: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trials = tmp_path / "list.txt"
    lines = [f"1 s{s:03}/000 s{s:03}/001\n0 s{s:03}/000 s{(s + 1) % 12:03}/001" for s in range(12)]
    trials.write_text("\n".join(lines))
    arguments = [f"--trials={trials}", f"--cohort={make_cohort()}", "--threshold=2.5", "--cone=0.9"]
    arguments += ["--formats=e2m1", "--draws=5", f"--out={tmp_path / 'report'}"]
    assert main(["bitdepth", str(make_file()), *arguments]) == 0
    printed = capsys.readouterr().out
    assert "trials of list.txt, scores normalised by all 30 speakers of cohort.npz: 12" in printed
    assert "at threshold 2.500000" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--cohort", "COHORT"] * 2,
            "--cohort must be given for each of 1 files, of the same .* 2",
        ),
        (["--cohort-top", "5"], "--cohort-top is of a --cohort; got 5 and none"),
        (
            ["--cohort", "COHORT", "--cohort-top", "1"],
            "cohort.npz: as many of the largest scores as --cohort-top says must be at least 2 and "
            "at most the 30 speakers of the cohort; got 1",
        ),
        (
            ["--cohort", "COHORT", "--threshold", "campplus"],
            "the published threshold of campplus is a cosine, and with --cohort scores are "
            "normalised: --threshold must be a number there",
        ),
        (
            ["--cohort", "COHORT", "--threshold", "65"],
            "threshold must be above -64 and at most 64; got 65.0",
        ),
        (["--cohort", "missing.npz"], "missing.npz: no such file"),
        (["--cohort", "SELF"], "voices.npz: speakers of a cohort must be none of voices; 12 of 12"),
    ],
)
def test_unusable_cohorts_are_named(
    make_file: Maker,
    make_cohort: Maker,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    path = make_file()
    places = {"COHORT": str(make_cohort()), "SELF": str(path)}
    given = [places.get(one, one) for one in arguments]
    assert main(["bitdepth", str(path), *given]) == 2
    assert re.search(f"^error: .*{message}", capsys.readouterr().err, re.MULTILINE)


def test_a_row_of_zeros_is_told_before_anything_is_studied(
    make_file: Maker, make_cohort: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = np.random.default_rng(0).standard_normal((72, 16)).astype(np.float32)
    rows[8] = 0
    path, out = make_file(embeddings=rows), tmp_path / "report"
    assert main(["bitdepth", str(path), "--cohort", str(make_cohort()), "--out", str(out)]) == 2
    message = "as those of zeros do not; those of row 8 of voices deviate by 0, 1 of 72 rows in all"
    assert message in capsys.readouterr().err
    assert not out.exists()
