"""Figures of the samples that differ from those on record are told."""

from pathlib import Path

import pytest

from tests.proofs import sample_figures
from tests.proofs.sample_figures import differences, machine, main, near, record

BEFORE = "model,format,prepared,space,fp,far\nm,e2m1,none,cosine,{},{}\nm,e2m1,none,map,7,0.5\n"


@pytest.fixture(autouse=True)
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_figures, "FIGURES", tmp_path)
    monkeypatch.setattr(sample_figures, "DIGESTS", tmp_path / "digests.json")
    record("bitdepth", BEFORE.format(100, 0.25))


def test_a_digit_that_changes_is_told_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "metrics.csv"
    for far, status in (0.25, 0), (0.2500000001, 1):
        written.write_text(BEFORE.format(100, far))
        assert main([f"bitdepth={written}"]) == status
    assert "m e2m1 none: far 0.25; got 0.2500000001" in capsys.readouterr().out


def test_figures_of_maps_are_not_looked_at() -> None:
    assert [*differences("bitdepth", BEFORE.format(100, 0.25).replace("map,7", "map,8"))] == []


def test_another_processor_may_round_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_figures, "machine", lambda: f"not {machine()}")
    assert [*differences("bitdepth", BEFORE.format(103, 0.2500000001))] == []
    assert [*differences("bitdepth", BEFORE.format(121, 0.3))] == [
        "m e2m1 none: fp 100; got 121",
        "m e2m1 none: far 0.25; got 0.3",
    ]


def test_a_line_that_is_missing_is_told() -> None:
    lines = BEFORE.format(100, 0.25).splitlines()
    assert len([*differences("bitdepth", "\n".join([*lines[:2], lines[1]]))]) == 1


@pytest.mark.parametrize(
    ("a", "b", "is_near"),
    [("1", "21", True), ("1", "22", False), ("none", "amax", False), ("0.5", "0.50001", True)],
)
def test_near_is_what_float32_explains(a: str, b: str, is_near: bool) -> None:
    assert near(a, b) == is_near
