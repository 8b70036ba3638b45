import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.__main__ import main
from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.bitdepth.published import THRESHOLDS
from evaluation.command.errors import InputError

Maker = Callable[..., Path]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", "1.5"], "threshold must be above -1 and at most 1; got 1.5"),
        (["--threshold", "0.1", "--threshold", "0.2"], "or once for each of 1 files; got 2"),
        (["--far", "0.1%", "--threshold", "0.1"], "--threshold and --far both choose where rates"),
        (
            ["--far", "1e-6"],
            "voices: a FAR of 1e-06 is less than one of 2,376 non-target trials; it must be at "
            "least 0.00042",
        ),
        (["--far", "0.1", "--far", "0.2"], "--far must be given once, or once for each of 1 files"),
    ],
)
def test_unusable_operating_points_are_named(
    make_file: Maker, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["bitdepth", str(make_file()), *arguments]) == 2
    assert re.search(f"^error: .*{message}", capsys.readouterr().err, re.MULTILINE)


def test_a_far_and_a_score_exclude_each_other() -> None:
    message = "must be given as a score or by a FAR; got 0.5 and 0.01"
    with pytest.raises(InputError, match=message):
        OperatingPoint(score=0.5, far=0.01)
    with pytest.raises(InputError, match="far must be above 0 and below 1; got 1"):
        OperatingPoint(far=1)


def test_a_threshold_that_is_no_number_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["bitdepth", "any.npz", "--threshold", "high"])
    message = f"must be a cosine or one of {', '.join(THRESHOLDS)}; got 'high'\n"
    assert capsys.readouterr().err.endswith(f"error: argument --threshold: {message}")


@pytest.mark.parametrize("rate", ["low", "0", "1", "100%", "1%%", "%", "0.1 %x", "nan"])
def test_a_far_that_is_no_rate_is_named(capsys: pytest.CaptureFixture[str], rate: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["bitdepth", "any.npz", "--far", rate])
    message = (
        "error: argument --far: must be a share above 0 and below 1, such as 0.001, or as many "
        f"percent, such as 0.1%; got '{rate}'\n"
    )
    assert capsys.readouterr().err.endswith(message)


@pytest.mark.parametrize("rate", ["2%", "0.02"])
def test_rates_are_taken_at_the_lowest_threshold_of_a_far(
    make_file: Maker, tmp_path: Path, rate: str
) -> None:
    out = tmp_path / "report"
    arguments = ["--formats", "e2m1", "--far", rate, "--draws", "5", "--out", str(out)]
    assert main(["bitdepth", str(make_file(speakers=20)), *arguments]) == 0
    with (out / "metrics.csv").open(newline="") as file:
        float32 = next(csv.DictReader(file))
    # All scores differ: the next lower threshold accepts one pair more.
    assert int(float32["fp"]) == int(0.02 * int(float32["nontargets"]))
    assert "where the FAR of float32 is 2\N{NO-BREAK SPACE}%" in (out / "report.html").read_text()
