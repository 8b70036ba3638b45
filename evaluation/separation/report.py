"""The page that tells the outcome of the study."""

from collections.abc import Mapping, Sequence

from evaluation.page.figure import Figure
from evaluation.page.notation import in_words
from evaluation.page.page import Fold, Making, Points, Section, render
from evaluation.page.placed import tables_at
from evaluation.separation.definitions import AS_PUBLISHED, Definitions
from evaluation.separation.figures.map_plots import COLOURS
from evaluation.separation.metrics import METRICS
from evaluation.separation.options import SeparationOptions
from evaluation.separation.standings import Choice, Standing, standings
from evaluation.separation.study import SeparationStudy, Space
from evaluation.separation.summary import cautions, summarise
from evaluation.separation.tables import TABLES
from evaluation.separation.tables.told import Place, Told
from evaluation.statistics.estimates import CONFIDENCE
from evaluation.stored.conditions import MEANINGS

TITLE = "Which model separates speakers"
PACKAGES = ("scipy", "scikit-learn", "umap-learn", "numba")
TERMS = {
    **{metric.heading: metric.meaning for metric in METRICS},
    "Euclidean": f"The same {in_words(len(METRICS))} on a map of two dimensions, which UMAP makes "
    "so that neighbours stay neighbours. A map depends on its parameters and seed; the cosine "
    "distances do not.",
}
CHOICES = {
    Choice.ORDER_KEPT.value: "By each metric the models come in the order that they have in "
    "float32.",
    Choice.BEST_KEPT.value: "The best stays best by each metric; others have changed places.",
    Choice.CHANGED.value: "By some metric another model is best.",
    **{words: MEANINGS[words] for words in ("scaled", "framed")},
}


def report(
    studies: Sequence[SeparationStudy],
    figures: Mapping[str, Sequence[Figure]],
    options: SeparationOptions,
) -> str:
    """Return the page; `figures` holds those of each model by its name, and any other by ""."""
    found = standings(studies) if len(studies) > 1 else []
    sections = [_models(studies, found, options.definitions)]
    if found:
        sections.append(_choices(studies, found, figures.get("", ())))
    sections += [_model(study, figures[study.embeddings.name]) for study in studies]
    making = Making(
        command=options.command,
        seed=options.seed,
        data={study.embeddings.name: study.embeddings.sha256 for study in studies},
        facts={
            "intervals": f"{round(100 * CONFIDENCE)} %, percentiles of {options.draws} draws of "
            "speakers with replacement; the same draws for every format and for models of the same "
            "speakers, so that differences are paired. Every vector keeps its distances, to the "
            "centroids of all speakers, and its place on the map: the intervals tell what other "
            "speakers of this kind would change, not what another map would.",
            "densities": options.definitions.density.words(),
            "CCR": options.definitions.words_of_ties(),
            "silhouettes": "As scikit-learn defines them; a speaker's only vector has 0.",
            "map": f"UMAP of all vectors: {options.definitions.map.words()}.",
        },
        packages=PACKAGES,
    )
    return render(TITLE, [summarise(studies, found)], sections, making)


def _models(
    studies: Sequence[SeparationStudy], found: Sequence[Standing], definitions: Definitions
) -> Section:
    told = Told(studies=studies, standings=found, as_published=definitions == AS_PUBLISHED)
    terms = {"centroid": definitions.words_of_centroids(), **TERMS}
    return Section(
        title="Models side by side",
        blocks=[
            "A model turns a recording into a vector, and a good one puts the recordings of one "
            "speaker close together and far from those of others. "
            f"{in_words(len(METRICS)).capitalize()} measures tell how well, each of cosine "
            "distances between the vectors and of Euclidean distances on a two-dimensional map of "
            "them.",
            Points(points=cautions(studies)),
            *tables_at(TABLES, Place.MODELS, told),
            Points(terms=terms),
        ],
    )


def _choices(
    studies: Sequence[SeparationStudy], found: Sequence[Standing], figures: Sequence[Figure]
) -> Section:
    return Section(
        title="Whether fewer bits change the choice",
        blocks=[
            "All vectors are stored in a number format and read back; then everything is measured "
            "again, centroids included.",
            *tables_at(TABLES, Place.CHOICE, Told(studies=studies, standings=found)),
            *figures,
            Points(terms=CHOICES),
        ],
    )


def _model(study: SeparationStudy, figures: Sequence[Figure]) -> Section:
    row = study.float32(Space.COSINE).row
    return Section(
        title=study.embeddings.name,
        blocks=[
            f"{row.vectors:,} vectors of {row.dim} values, {row.speakers:,} speakers. Maps colour "
            f"{min(row.speakers, len(COLOURS))} of them, evenly spread over the names in order.",
            *figures,
            Fold(
                title="In every format",
                blocks=tables_at(TABLES, Place.MODEL, Told(studies=[study])),
            ),
        ],
    )
