"""Speakers are enrolled, verified, identified, assigned and erased, by vectors of any model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import minifloat as mf
from examples.recipes.voices import Voices, threshold_at
from tests.support.paths import ROOT

SAMPLE = ROOT / "evaluation" / "samples" / "so762-campplus.npz"
People = NDArray[np.float32]


@pytest.fixture(scope="module")
def people() -> People:
    with np.load(SAMPLE) as sample:
        found: People = sample["embeddings"].reshape(125, 20, 192)
    return found


@pytest.fixture(params=["memory", "folder, framed"])
def voices(people: People, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    frame = mf.Frame.fit(people[100:].reshape(-1, 192)) if request.param != "memory" else None
    threshold = threshold_at(0.01, people[100:, :5], people[100:, 5:], frame=frame)
    path = str(tmp_path / "voices") if frame else None
    voices = Voices.create(192, threshold, path, frame=frame)
    for i in range(50):
        voices.enrol(f"speaker {i}", people[i, :5])
    yield voices
    voices.index.close()


def test_speakers_are_verified_and_strangers_are_not(voices: Voices, people: People) -> None:
    accepted = [voices.verify(f"speaker {i}", people[i, 5:]).mean() for i in range(50)]
    assert np.mean(accepted) > 0.98
    others = [voices.verify(f"speaker {i}", people[50 + i, 5:]).mean() for i in range(50)]
    assert np.mean(others) < 0.05
    with pytest.raises(KeyError, match="speaker 99"):
        voices.verify("speaker 99", people[0])


def test_speakers_are_identified_and_strangers_stay_unknown(voices: Voices, people: People) -> None:
    told = voices.identify(people[:50, 5:].reshape(-1, 192))
    right = [f"speaker {i}" for i in range(50) for _ in range(15)]
    assert np.mean([a == b for a, b in zip(told, right, strict=True)]) > 0.97
    # Each stranger is compared with 50 speakers, so impostors must be 50 times as rare.
    voices.threshold = threshold_at(0.01 / 50, people[100:, :5], people[100:, 5:])
    strangers = voices.identify(people[50:100, 5:].reshape(-1, 192))
    assert np.mean([name is None for name in strangers]) > 0.9


def test_labels_of_one_recording_get_different_speakers(voices: Voices, people: People) -> None:
    vectors = np.stack([people[7, 6], people[3, 9], people[7, 8], -people[0, 0]])
    named = voices.assign(["A", "B", "C", "D"], vectors)
    assert named["B"] == "speaker 3"
    assert sorted([named["A"] == "speaker 7", named["C"] == "speaker 7"]) == [False, True]
    assert named["D"] is None
    assert voices.assign([], np.empty((0, 192), np.float32)) == {}


def test_a_label_without_a_vector_stays_unknown(voices: Voices, people: People) -> None:
    silent = np.full(192, np.nan, np.float32)
    vectors = np.stack([silent, people[3, 9], np.zeros(192, np.float32)])
    assert voices.assign(["A", "B", "C"], vectors) == {"A": None, "B": "speaker 3", "C": None}


def test_one_recording_is_enough_to_enrol(people: People) -> None:
    voices = Voices.create(192, 0.5)
    voices.enrol("Ada", people[0, 0])
    assert voices.verify("Ada", people[0, :1]).tolist() == [True]
    assert voices.identify(people[0, :1]) == ["Ada"]


@pytest.mark.parametrize("format", ["e2m1", "e3m4"])
def test_two_weak_likenesses_do_not_outbid_a_strong_one(format: str) -> None:
    axes = np.eye(64, dtype=np.float32)
    voices = Voices.create(64, 0.25, format=format)
    voices.enrol("X", axes[:1])
    voices.enrol("Y", axes[1:2])
    strong = 0.9 * axes[0] + 0.3 * axes[1] + 0.1**0.5 * axes[2]
    weak = 0.3 * axes[0] + 0.91**0.5 * axes[3]
    assert voices.assign(["A", "B"], np.stack([strong, weak])) == {"A": "X", "B": None}


def test_a_speaker_is_replaced_and_erased(voices: Voices, people: People) -> None:
    voices.enrol("speaker 0", people[60, :5])
    assert voices.verify("speaker 0", people[60, 5:]).mean() > 0.9
    voices.erase("speaker 0")
    assert len(voices.index) == 49
    assert "speaker 0" not in {*voices.identify(people[60, 5:])}
