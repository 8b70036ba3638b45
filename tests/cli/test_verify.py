from pathlib import Path

import numpy as np
import pytest

import minifloat as mf
from tests.cli.running import fine, refused, run

PAIRS = [(3, 50), (4, 51), (5, 52), (0, 99), (3, 51)]
FORMS = {
    "bare": "{a} {b}",
    "voxceleb": "{label} {a} {b}",
    "kaldi": "{a} {b} {said}",
}


def written(form: str, labels: str = "11100", name: str = "s{:03}") -> str:
    lines = [
        FORMS[form].format(
            a=name.format(a),
            b=name.format(b),
            label=label,
            said="target" if label == "1" else "nontarget",
        )
        for (a, b), label in zip(PAIRS, labels, strict=True)
    ]
    Path("trials.txt").write_text("\n".join(lines) + "\n")
    return "trials.txt"


NAMED = ("--ids", "ids.txt")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("folder")
def test_trials_are_scored_and_decided(form: str) -> None:
    done = run("verify", "db.safetensors", written(form), "--threshold", 0.999, *NAMED)
    assert done.code == 0
    rows = mf.PackedVectors.load("db.safetensors")
    scores = mf.scores(rows, rows, pairs=np.array(PAIRS)).tolist()
    table = done.table()
    assert [float(np.float32(one["score"])) for one in table] == scores
    assert [one["decision"] for one in table] == ["accept"] * 3 + ["reject"] * 2
    assert [(one["id_a"], one["id_b"]) for one in table] == [
        (f"s{a:03}", f"s{b:03}") for a, b in PAIRS
    ]
    if form == "bare":
        assert done.err == ""
        assert [*table[0]] == ["id_a", "id_b", "score", "decision"]
    else:
        assert [one["label"] for one in table] == [*"11100"]
        assert done.err == (
            "counts: false acceptances: 0 of 2 (0.00%); false rejections: 0 of 3 (0.00%)\n"
        )


@pytest.mark.usefixtures("folder")
def test_wrong_decisions_are_counted_and_told_by_the_exit_code() -> None:
    words = ("verify", "db.safetensors", written("kaldi", "10011"), "--threshold", 0.999, *NAMED)
    done = run(*words)
    assert done.code == 1
    assert done.err == (
        "counts: false acceptances: 2 of 2 (100.00%); false rejections: 2 of 3 (66.67%)\n"
    )
    done = run(*words, "--counts", "--json")
    counts = {"targets": 3, "nontargets": 2, "false_acceptances": 2, "false_rejections": 2}
    assert (done.code, done.err, done.objects()) == (1, "", [counts])


@pytest.mark.usefixtures("folder")
def test_rows_are_named_by_their_numbers_without_ids() -> None:
    trials = Path(written("bare", name="{}")).read_bytes()
    done = fine("verify", "db.safetensors", "-", "--threshold", 0.999, stdin=trials).table()
    assert [one["decision"] for one in done] == ["accept"] * 3 + ["reject"] * 2


@pytest.mark.usefixtures("folder")
def test_a_threshold_is_compared_as_it_is_typed() -> None:
    written("bare")
    rows = mf.PackedVectors.load("db.safetensors")
    score = float(mf.scores(rows, rows, pairs=np.array([(0, 99)]))[0])
    for threshold, decision in ((score, "accept"), (np.nextafter(score, 1), "reject")):
        how = ("--threshold", repr(float(threshold)), *NAMED)
        done = fine("verify", "db.safetensors", "trials.txt", *how)
        assert done.table()[3]["decision"] == decision


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        ("", (), "trials.txt must hold at least one trial; got none"),
        (
            "s000 s001\ns000\n",
            (),
            "trials.txt, line 2: must be 'id id'; got 's000'",
        ),
        (
            "s000 s001 s002 s003\n",
            (),
            "trials.txt, line 1: must be 'id id' or 'id id label' with a label of target or "
            "nontarget or 'label id id' with a label of 0 or 1; got 's000 s001 s002 s003'",
        ),
        ("s000 s100\n", (), "no row of db.safetensors has id 's100'"),
        ("s000 s001\n", ("--threshold", "2"), "--threshold must be from -1 to 1; got 2.0"),
        ("s000 s001\n", ("--counts",), "--counts needs labels, which trials.txt does not have"),
        ("s000 s001\n", ("--ids", "twice.txt"), "ids of db.safetensors must differ; got 's' twice"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_is_told_in_a_line(text: str, more: tuple[str, ...], told: str) -> None:
    Path("trials.txt").write_text(text)
    Path("twice.txt").write_text("s\n" * 100)
    words = ("verify", "db.safetensors", "trials.txt", "--threshold", 0.5, *NAMED, *more)
    assert refused(*words, "--out", "out.csv") == told


@pytest.mark.usefixtures("folder")
def test_row_numbers_that_are_not_there_are_told() -> None:
    Path("trials.txt").write_text("0 100\n")
    told = refused("verify", "db.safetensors", "trials.txt", "--threshold", 0, "--out", "o.csv")
    assert told == "rows of db.safetensors are 0 to 99, and --ids names them; got '100'"
