import csv
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import minifloat as mf
from evaluation.__main__ import main
from evaluation.embeddings.embeddings import Embeddings
from evaluation.page.outcome import UNFINISHED
from evaluation.stored.conditions import Condition
from evaluation.stored.conversion import Converted, convert

Maker = Callable[..., Path]
KINDS = ("scores", "thresholds", "values", "det", "counts")


@pytest.fixture(scope="module")
def outputs(make_file_in: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    files = [str(make_file_in(folder, name=name, seed=len(name))) for name in ("one", "three")]
    out = folder / "report"
    assert main(["bitdepth", *files, "--draws", "30", "--out", str(out)]) == 0
    return out


def test_the_command_writes_all_outputs_and_nothing_else(outputs: Path) -> None:
    figures = {f"{name}-{kind}.svg" for name in ("one", "three") for kind in KINDS}
    assert {path.name for path in outputs.iterdir()} == figures | {"metrics.csv", "report.html"}
    for name in figures:
        assert (outputs / name).stat().st_size < 50_000 * len(mf.FORMATS)


def test_the_metrics_hold_every_condition_in_plain_numbers(outputs: Path) -> None:
    with (outputs / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * (3 + 4 * len(mf.FORMATS))
    for row in rows:
        words = {row.pop(name) for name in ("model", "format", "prepared", "saturate", "trials")}
        assert all(words)
        assert all(float(value) == float(value) for value in row.values())
        assert int(row["tp"]) + int(row["fn"]) == int(row["targets"])
        assert int(row["tn"]) + int(row["fp"]) == int(row["nontargets"])
        assert float(row["far"]) == int(row["fp"]) / int(row["nontargets"])
        assert float(row["frr"]) == int(row["fn"]) / int(row["targets"])


def test_the_report_needs_nothing_but_itself(outputs: Path) -> None:
    page = (outputs / "report.html").read_text()
    assert "http:" not in page
    assert "https:" not in page
    assert not re.search(r"<(link|script src|img|iframe)\b|@import|url\((?!#)", page)
    assert set(re.findall(r'href="(.)', page)) <= {"#"}


def test_no_id_of_the_report_occurs_twice_and_every_reference_has_one(outputs: Path) -> None:
    page = (outputs / "report.html").read_text()
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) <= set(ids)


def test_the_report_opens_with_what_to_take_and_the_code_that_does(outputs: Path) -> None:
    page = (outputs / "report.html").read_text()
    opening = page[page.index("<h1>") : page.index("<nav")]
    assert re.findall(r"<dt>(.*?)</dt>", opening) == ["one", "three"]
    for advice in re.findall(r"<dd>(.*?)</dd>", opening, flags=re.DOTALL):
        # The voices are 12: too few for any format.
        assert re.match(r"Stay with float32: 12 speakers are too few to tell .* more ", advice)
    for rate in (
        "FAR (false acceptance rate) is the share",
        "FRR (false rejection rate) the share",
    ):
        assert rate in opening


def test_figures_of_the_report_say_what_they_show(outputs: Path) -> None:
    page = (outputs / "report.html").read_text()
    assert len(re.findall(r'<svg role="img" aria-label="(one|three): [^"]{40,}"', page)) == 10


@pytest.mark.parametrize("size", [0, 1e-42, 1e30], ids=str)
@pytest.mark.parametrize("offset", [0, 50], ids=["around zero", "far from zero"])
def test_values_of_any_size_make_a_report(
    make_file: Maker, tmp_path: Path, size: float, offset: float
) -> None:
    values = np.random.default_rng(0).standard_normal((72, 4))
    path = make_file(embeddings=(size * (values + offset)).astype(np.float32))
    arguments = ["--formats", "e2m1,e5m2", "--draws", "5", "--out", str(tmp_path / "report")]
    assert main(["bitdepth", str(path), *arguments]) == 0
    with (tmp_path / "report" / "metrics.csv").open(newline="") as file:
        assert all(-1e-12 < float(row["cosine_loss"]) <= 1 for row in csv.DictReader(file))


def test_a_second_run_writes_the_same_bytes(
    make_file: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_file(name="voices")
    texts = []
    for _ in range(2):
        assert main(["bitdepth", "voices.npz", "--draws", "5", "--formats", "e2m1"]) == 0
        out = tmp_path / "bitdepth-report"
        texts.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert texts[0] == texts[1]


def test_a_trial_list_thresholds_and_formats_are_honoured(
    make_file: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trials = tmp_path / "list.txt"
    lines = [f"1 s{s:03}/000 s{s:03}/001\n0 s{s:03}/000 s{(s + 1) % 12:03}/001" for s in range(12)]
    trials.write_text("\n".join(lines))
    arguments = ["--trials", str(trials), "--threshold", "0.25", "--formats", "e2m1,float8_e4m3fn"]
    path = make_file(name="voices")
    assert main(["bitdepth", str(path), *arguments, "--draws", "9", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "the trials of list.txt: 12 target and 12 non-target of 12 speakers" in printed
    assert "at threshold 0.250000" in printed
    ways = "scaled by the maximum|scaled|framed"
    labels = re.findall(rf"^(float\w+|bfloat16|E\dM\d(?: (?:{ways}))?) ", printed, re.MULTILINE)
    assert labels == [
        *("float32", "float16", "bfloat16"),
        *("E4M3", "E4M3 scaled", "E4M3 scaled by the maximum", "E4M3 framed"),
        *("E2M1", "E2M1 scaled", "E2M1 scaled by the maximum", "E2M1 framed"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--formats", "e2m1,e4m4"], "format must be one of e5m2, .*; got 'e4m4'"),
        (["--formats", "float8_e4m3"], "got 'float8_e4m3', whose largest value is 240: e4m3 is"),
        (["--draws", "0"], "--draws must be at least 1; got 0"),
        (["--cone", "1"], "--cone must be above 0 and below 1; got 1.0"),
        (["--seed", "-1"], "--seed must be at least 0; got -1"),
        (["--tolerance", "nan"], "--tolerance must be above 0 and finite; got nan"),
        (["--relative-tolerance", "0"], "--relative-tolerance must be above 0 and finite; got 0.0"),
    ],
)
def test_unusable_options_are_named(
    make_file: Maker, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["bitdepth", str(make_file()), *arguments]) == 2
    assert re.search(f"^error: .*{message}", capsys.readouterr().err, re.MULTILINE)


def test_names_of_rows_are_needed_by_trial_lists_alone(
    make_file: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(make_file(utterance=None)), "--draws", "9", "--formats", "e2m1"]
    arguments += ["--out", str(tmp_path / "report")]
    assert main(["bitdepth", *arguments]) == 0
    trials = tmp_path / "list.txt"
    trials.write_text("1 s000/000 s000/001")
    assert main(["bitdepth", *arguments, "--trials", str(trials)]) == 2
    message = "list.txt: names rows by their utterance, which voices does not have"
    assert message in capsys.readouterr().err


def test_each_list_is_studied(
    make_file: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lists = []
    for name, count in (("first", 12), ("second.csv", 9)):
        lines = [
            f"{int(t == s)},s{s:03}/000,s{t:03}/001"
            for s in range(count)
            for t in (s, (s + 1) % 12)
        ]
        lines = ["label,enrolled,tried", *lines]
        if name == "first":
            lines = [" ".join(line.split(",")) for line in lines[1:]]
        lists.append(tmp_path / name)
        lists[-1].write_text("\n".join(lines))
    arguments = ["--formats", "e2m1", "--draws", "5", "--threshold", "campplus"]
    arguments += [f"--trials={path}" for path in lists] + ["--out", str(tmp_path / "report")]
    assert main(["bitdepth", str(make_file(name="voices")), *arguments]) == 0
    assert capsys.readouterr().out.count("at threshold 0.381000") == 2
    page = (tmp_path / "report" / "report.html").read_text()
    assert "voices: FAR and FRR on each list" in page
    assert "of the published lists" not in page
    assert (tmp_path / "report" / "voices-second-det.svg").exists()


def test_speed_is_measured_when_asked_for(make_file: Maker, tmp_path: Path) -> None:
    arguments = ["--formats", "e2m1", "--draws", "5", "--speed", "--out", str(tmp_path / "report")]
    assert main(["bitdepth", str(make_file()), *arguments]) == 0
    assert "search on this machine" in (tmp_path / "report" / "report.html").read_text()


def test_two_files_of_one_name_are_refused(
    make_file: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(make_file())
    assert main(["bitdepth", path, path]) == 2
    assert (
        "names of models must differ, outputs carry them; got voices twice: NAME=FILE"
        in capsys.readouterr().err
    )


def test_a_missing_package_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["bitdepth", "any.npz"]) == 2
    message = 'the studies need jinja2, which is not installed; pip install "minifloat[evaluation]"'
    assert message in capsys.readouterr().err


def test_help_names_every_option_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["bitdepth", "--help"])
    printed = capsys.readouterr().out
    for text in ("--trials LIST", "--threshold COSINE", "(default: 1000)", "bitdepth-report"):
        assert text in printed
    assert ",".join(format.name for format in mf.FORMATS) in re.sub(r"\s+", "", printed)


def test_an_interrupted_study_keeps_what_was_there_and_what_was_finished(
    make_file: Maker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "report"
    arguments = ["bitdepth", str(make_file()), "--draws", "5", "--out", str(out)]
    assert main(arguments) == 0
    before = {path: path.read_bytes() for path in out.iterdir()}

    def interrupted(embeddings: Embeddings, condition: Condition) -> Converted:
        if condition.name == "bfloat16":
            raise KeyboardInterrupt
        return convert(embeddings, condition)

    monkeypatch.setattr("evaluation.bitdepth.study.convert", interrupted)
    assert main(arguments) == 130
    assert "what was finished is in the output folder" in capsys.readouterr().err
    assert all(path.read_bytes() == content for path, content in before.items())
    with (out / UNFINISHED).open(newline="") as file:
        assert [row["format"] for row in csv.DictReader(file)] == ["float32", "float16"]
    monkeypatch.undo()
    assert main(arguments) == 0
    assert {path: path.read_bytes() for path in out.iterdir()} == before
