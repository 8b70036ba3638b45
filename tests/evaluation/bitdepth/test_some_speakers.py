"""What is recommended of some of the speakers of the samples."""

from pathlib import Path

import numpy as np
import pytest

import minifloat as mf
from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.recommendation import recommendation, recommended
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.bitdepth.tolerance import FEWEST_SPEAKERS
from evaluation.embeddings.embeddings import load_embeddings
from tests.evaluation.bitdepth.recommended import TOLERANCE, label_of
from tests.evaluation.bitdepth.some_speakers import SomeSpeakers

SIZES = (40, 70, 90)
FLOAT32 = 32


@pytest.fixture(scope="module", params=["campplus", "ge2e"])
def sample(request: pytest.FixtureRequest, samples: Path) -> SomeSpeakers:
    embeddings = load_embeddings(samples / f"so762-{request.param}.npz")
    return SomeSpeakers(embeddings, [mf.E4M3, mf.E2M3, mf.E2M1])


def bits_of(outcome: BitdepthStudy) -> int:
    best = recommended(outcome, tolerance=TOLERANCE)
    return FLOAT32 if best is None else best.row.bits


def bits_of_draws(sample: SomeSpeakers, *, draws: int) -> list[list[int]]:
    """The bits that are recommended of SIZES speakers, each of them among the next."""
    speakers = len(sample.all.task.embeddings.speaker_names)
    found = []
    for seed in range(draws):
        order = np.random.default_rng(seed).permutation(speakers)
        some = [sample.study(np.sort(order[:size]), draws=200, seed=0) for size in SIZES]
        found.append([bits_of(outcome) for outcome in some])
    return found


def test_some_speakers_are_studied_as_all_are(sample: SomeSpeakers) -> None:
    speakers = len(sample.all.task.embeddings.speaker_names)
    again = sample.study(np.arange(speakers), draws=100, seed=0)
    for ours, of_study in zip(again.results, sample.all.results, strict=True):
        for metric in (FAR, FRR, EER):
            one, other = ours.row[metric], of_study.row[metric]
            assert one.value == pytest.approx(other.value, abs=2e-4)
            assert one.change_high == pytest.approx(other.change_high, abs=5e-4)
    assert bits_of(again) == bits_of(sample.all)


def test_eight_or_twenty_speakers_recommend_nothing(sample: SomeSpeakers) -> None:
    for count in (8, 20, FEWEST_SPEAKERS - 1):
        outcome = sample.study(np.arange(count), draws=200, seed=0)
        assert label_of(outcome) is None
        assert "too few speakers" in recommendation(outcome, tolerance=TOLERANCE).lower()


def test_a_few_draws_of_speakers_get_no_fewer_bits_than_all(sample: SomeSpeakers) -> None:
    of_all = bits_of(sample.all)
    assert all(bits >= of_all for draw in bits_of_draws(sample, draws=3) for bits in draw)


@pytest.mark.long
def test_fewer_speakers_get_fewer_bits_no_oftener_than_intervals_err(sample: SomeSpeakers) -> None:
    of_all = bits_of(sample.all)
    # docs/studies/results.md tells of 200, which take minutes.
    chains = [[*draw, of_all] for draw in bits_of_draws(sample, draws=60)]
    assert all(min(chain) == of_all for chain in chains)
    fewer = [
        chain[i] < chain[j] for chain in chains for j in range(1, len(chain)) for i in range(j)
    ]
    # An interval ends below the truth once in forty times.
    assert sum(fewer) <= len(fewer) / 40
