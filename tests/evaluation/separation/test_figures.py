"""What figures show of the published study's: both means, and a map of its first 30 speakers."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import minifloat as mf
from evaluation.embeddings.embeddings import load_embeddings
from evaluation.separation.definitions import Definitions
from evaluation.separation.figures import distance_plots, map_plots
from evaluation.separation.figures.figures import figures_of_model
from evaluation.separation.figures.map_plots import first_speakers, first_speakers_map
from evaluation.separation.study import SeparationStudy, Space, separation_study, steps_of

Maker = Callable[..., Path]
SPEAKERS, UTTERANCES = 34, 3
# In the file the speakers with the last names come first.
NAMES = [f"s{place:02}" for place in reversed(range(SPEAKERS))]

pytestmark = pytest.mark.usefixtures("quick_map")


@pytest.fixture
def study(make_file: Maker) -> SeparationStudy:
    speaker = np.repeat(NAMES, UTTERANCES)
    path = make_file(speakers=SPEAKERS, utterances=UTTERANCES, speaker=speaker)
    steps = steps_of([mf.E2M1], [])
    return separation_study(load_embeddings(path), steps, definitions=Definitions(), draws=5)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures as they are before they become text."""
    figures: list[Figure] = []

    def draw_alone(_name: str, _height: float, draw: Callable[[Figure], None]) -> str:
        figures.append(Figure())
        draw(figures[-1])
        return ""

    for module in (distance_plots, map_plots):
        monkeypatch.setattr(module, "svg", draw_alone)
    return figures


def test_distributions_have_lines_at_the_means_of_both_distances(
    study: SeparationStudy, drawn: list[Figure]
) -> None:
    results = [study.float32(space) for space in Space]
    distance_plots.distance_distributions("voices", results)
    (figure,) = drawn
    rows, speaker, points = study.embeddings.rows, study.embeddings.speaker, results[1].points
    assert points is not None
    measured = [Definitions().cosine(rows, speaker), Definitions().on_map(points, speaker)]
    for axis, distances in zip(figure.axes, measured, strict=True):
        lines = [line for line in axis.lines if line.get_linestyle() == "--"]
        assert [str(line.get_label()) for line in lines] == [
            "mean to the own centroid",
            "mean to the other centroid",
        ]
        expected = [float(distances.own.mean()), float(distances.other.mean())]
        found = [float(np.asarray(line.get_xdata())[0]) for line in lines]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_map_shows_the_first_30_speakers_of_the_file_alone(
    study: SeparationStudy, drawn: list[Figure]
) -> None:
    names = study.embeddings.speaker_names
    first = [names[speaker] for speaker in first_speakers(study.embeddings)]
    assert first == NAMES[:30]
    first_speakers_map(study.embeddings, study.float32(Space.MAP))
    (figure,) = drawn
    (axis,) = figure.axes
    assert [str(points.get_label()) for points in axis.collections] == first
    looks = set()
    for dots in axis.collections:
        assert len(np.asarray(dots.get_offsets())) == UTTERANCES
        colour, shape = np.asarray(dots.get_facecolor()), np.asarray(dots.get_paths()[0].vertices)
        looks.add((colour.tobytes(), shape.tobytes()))
    assert len(looks) == 30


def test_both_are_in_the_report(study: SeparationStudy) -> None:
    figures = {figure.slug: figure for figure in figures_of_model(study)}
    assert "of the file's first 30 speakers" in figures["voices-map-first"].caption
    distances = figures["voices-distances"]
    assert "mean to the own centroid" in distances.svg
    means = study.float32(Space.COSINE).overlap.means
    assert re.search(f"{means[0]:.3g} and {means[1]:.3g}", distances.alt)
