"""The figures of the report, each with words for those who cannot see it."""

from collections.abc import Sequence

from evaluation.page.figure import Figure
from evaluation.page.notation import in_words, listed
from evaluation.separation.figures.distance_plots import distance_distributions
from evaluation.separation.figures.format_plots import metrics_by_format
from evaluation.separation.figures.map_plots import FIRST, first_speakers_map, speaker_maps
from evaluation.separation.metrics import METRICS
from evaluation.separation.study import SeparationStudy, Space, StepResult

CAPTION_OF_MAP = (
    "Each point is a recording, placed by UMAP near those that are like it; grey are all "
    "speakers, coloured are some. Only nearness has a meaning: directions and sizes have none."
)
CAPTION_OF_DISTANCES = (
    "Distances of each vector to its own speaker's centroid and to the nearest other one. The less "
    "the two overlap, the better; dashed lines are their means. On the map the axis is logarithmic "
    "and heights are per factor, so that areas remain shares."
)


def figures_of_model(study: SeparationStudy) -> list[Figure]:
    """Return a model's map and distributions in float32 and in the fewest bits that have a map.

    After the map in float32 comes that of the first speakers alone, as in the published study.
    Where no format has a map, its distributions are those of cosine distances alone.
    """
    float32 = [result for result in study.results if result.step.condition.is_float32]
    figures = _pair(study, float32, words="float32", suffix="")
    figures.insert(1, _first_speakers(study))
    small = _smallest(study)
    name = small[0].step.condition.name
    return figures + _pair(study, small, words=name.upper(), suffix=f"-{name}")


def _first_speakers(study: SeparationStudy) -> Figure:
    name = study.embeddings.name
    number = min(FIRST, len(study.embeddings.speaker_names))
    return Figure(
        slug=f"{name}-map-first",
        svg=first_speakers_map(study.embeddings, study.float32(Space.MAP)),
        alt=f"{name}, float32: map of the vectors of the file's first {number} speakers, each in a "
        "colour and shape of its own.",
        caption=f"The same map, of the file's first {number} speakers alone, as the published "
        "study shows it.",
    )


def figure_of_formats(studies: Sequence[SeparationStudy]) -> Figure:
    """Return the metrics of all models in every format."""
    names = ", ".join(study.embeddings.name for study in studies)
    metrics = listed([metric.heading for metric in METRICS])
    return Figure(
        slug="formats",
        svg=metrics_by_format(studies),
        alt=f"{metrics} of cosine distances of {names}, a mark with its interval "
        "for each model in every format.",
        caption=f"The {in_words(len(METRICS))} metrics of cosine distances in every format. "
        "Bars are 95 % intervals over draws of speakers.",
    )


def _smallest(study: SeparationStudy) -> list[StepResult]:
    stored = [result for result in study.results if not result.step.condition.is_float32]
    mapped = [result for result in stored if result.step.space is Space.MAP]
    candidates = mapped or stored
    fewest = min(candidates, key=lambda result: result.row.bits).step.condition.format
    return [result for result in stored if result.step.condition.format == fewest]


def _pair(
    study: SeparationStudy, results: Sequence[StepResult], *, words: str, suffix: str
) -> list[Figure]:
    name = study.embeddings.name
    areas = "; ".join(
        f"{result.step.condition.label}, {result.step.space.place}: {result.overlap.area:.3f}"
        for result in results
    )
    means = "; ".join("{:.3g} and {:.3g}".format(*result.overlap.means) for result in results)
    figures = [
        Figure(
            slug=f"{name}-distances{suffix}",
            svg=distance_distributions(name, results),
            alt=f"{name}, {words}: distributions of the distances to the own speaker's centroid "
            f"and to the nearest other one, their overlap shaded. OIIDD is {areas}. "
            f"Their means are {means}.",
            caption=CAPTION_OF_DISTANCES,
        )
    ]
    if any(result.points is not None for result in results):
        figures.insert(
            0,
            Figure(
                slug=f"{name}-map{suffix}",
                svg=speaker_maps(study.embeddings, results),
                alt=f"{name}, {words}: map of all vectors in two dimensions, those of some "
                "speakers in colour.",
                caption=CAPTION_OF_MAP,
                tall=len(results) > 2,
            ),
        )
    return figures
