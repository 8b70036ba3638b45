"""The page that tells the outcome of the studies of several models."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from evaluation.bitdepth.figures.figures import UNFOLDED
from evaluation.bitdepth.metrics.equal_error import EER
from evaluation.bitdepth.options import BitdepthOptions
from evaluation.bitdepth.recommendation import advice, applied, recommended
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.bitdepth.summary import summary
from evaluation.bitdepth.tables import TABLES
from evaluation.bitdepth.tables.told import Place, Told
from evaluation.bitdepth.tolerance import FEWEST_SPEAKERS, Tolerance
from evaluation.bitdepth.verdicts import Verdict
from evaluation.page.figure import Figure
from evaluation.page.notation import with_unit
from evaluation.page.page import Block, Fold, Making, Points, Section, render
from evaluation.page.placed import tables_at
from evaluation.statistics.estimates import CONFIDENCE
from evaluation.statistics.histogram import BINS_PER_UNIT
from evaluation.stored.conditions import MEANINGS

TITLE = "What fewer bits cost in speaker verification"
NORMALISED = (
    "A score tells how many standard deviations the cosine of a pair lies above the mean of the "
    "largest cosines that a recording has with speakers of the cohort, on average over the pair's "
    "two recordings. The cohort is stored as the recordings are. Top-1, top-5 and recall are of "
    "cosines."
)


def report(
    studies: Sequence[BitdepthStudy],
    figures: Mapping[str, Sequence[Figure]],
    options: BitdepthOptions,
) -> str:
    """Return the page; `figures` holds those of each study by its name."""
    sections = [_formats(studies, options)]
    sections += [_study(study, figures[study.name], options) for study in studies]
    beyond = _beyond(studies, options)
    if beyond:
        sections.append(Section(title="What else was measured", blocks=beyond))
    confidence = round(100 * CONFIDENCE)
    making = Making(
        command=options.command,
        seed=options.seed,
        data=_data(studies),
        facts={
            "intervals": f"{confidence} %, percentiles of {options.draws} draws of speakers with "
            "replacement; the same draws for every format, so that differences are paired. A pair "
            "of different speakers counts as often as both are drawn, a pair of one speaker as "
            "often as that one is.",
            "resolution": "EER is interpolated between thresholds "
            f"1/{BINS_PER_UNIT // studies[0].task.reach:,} apart; FAR, FRR and the four counts at "
            "the threshold are exact.",
        },
    )
    return render(TITLE, _opening(studies, tolerance=options.tolerance), sections, making)


def _data(studies: Sequence[BitdepthStudy]) -> dict[str, str]:
    """Return the SHA-256 of each file by the name of its model, and those of cohorts."""
    data = {study.task.embeddings.name: study.task.embeddings.sha256 for study in studies}
    for study in studies:
        if study.task.cohort is not None:
            data[f"{study.task.embeddings.name}, cohort"] = study.task.cohort.sha256
    return data


def _opening(studies: Sequence[BitdepthStudy], *, tolerance: Tolerance) -> list[Block]:
    """Return for each model what to take and the code that does, and what the two rates are."""
    terms = {}
    for study in studies:
        best = recommended(study, tolerance=tolerance)
        code = Markup("<code>{}</code>").format(applied(study, best)) if best else ""
        terms[study.name] = Markup("{} {}").format(advice(study, tolerance=tolerance), code)
    cosine = "the cosine of their vectors"
    if studies[0].task.cohort is not None:
        cosine = "their normalised score"
    return [
        Points(terms=terms),
        f"Two voices are taken for one where {cosine} reaches a threshold. FAR (false "
        "acceptance rate) is the share of pairs of different speakers that are accepted, "
        "FRR (false rejection rate) the share of pairs of one speaker that are rejected, both "
        "with the threshold that float32 uses.",
    ]


def _formats(studies: Sequence[BitdepthStudy], options: BitdepthOptions) -> Section:
    last = studies[0].results[-1]
    told = [Told(studies=[study], options=options) for study in studies]
    terms = {
        Verdict.WITHIN.value: "FAR and FRR with the threshold of float32, and EER, are each shown "
        f"to rise by no more than {options.tolerance.words}: the interval of the change ends there "
        "or below. The smallest such format is recommended. That is as sure as intervals of "
        f"{round(100 * CONFIDENCE)} % are, for speakers and recordings like these: it proves no "
        "format harmless.",
        Verdict.UNSURE.value: "By the estimates it would be so, or would with a threshold of its "
        "own, but so few speakers and errors do not show it.",
        Verdict.RETUNE.value: "FAR or FRR rises by more, but the equal error rate is shown not to: "
        "set the threshold anew.",
        Verdict.COSTLY.value: "The equal error rate rises by more: accuracy is lost at any "
        "threshold.",
        last.condition.name.upper(): "A name tells the bits of exponent (E) and mantissa (M); with "
        f"the sign, {last.condition.name.upper()} takes {last.row.bits} bits a value.",
        **MEANINGS,
    }
    return Section(
        title="Which formats can be used",
        blocks=[
            "Both vectors of a pair are stored in a smaller number format. EER (equal error rate) "
            "is the value of FAR and FRR at the threshold where the two meet.",
            *(table for one in told for table in tables_at(TABLES, Place.FORMATS, one)),
            Points(terms=terms),
        ],
    )


def _study(study: BitdepthStudy, figures: Sequence[Figure], options: BitdepthOptions) -> Section:
    base = study.float32
    told = Told(studies=[study], options=options)
    few = "With so few speakers the intervals are too narrow to rely on. "
    return Section(
        title=study.name,
        blocks=[
            f"{base.vectors:,} vectors of {base.dim} values; {base.trials}: {base.targets:,} "
            f"pairs of one speaker (targets) and {base.nontargets:,} of different ones "
            f"(non-targets), {base.speakers} speakers. "
            f"{few if base.speakers < FEWEST_SPEAKERS else ''}"
            f"In float32 the equal error rate is {with_unit(base[EER].value)}.",
            *([NORMALISED] if study.task.cohort is not None else []),
            Points(points=summary(study, tolerance=options.tolerance)),
            *tables_at(TABLES, Place.STUDY, told, folded=False),
            *figures[:UNFOLDED],
            *tables_at(TABLES, Place.STUDY, told, folded=True),
            Fold(title="Scores, DET curves and counts", blocks=figures[UNFOLDED:]),
        ],
    )


def _beyond(studies: Sequence[BitdepthStudy], options: BitdepthOptions) -> list[Block]:
    """Return what is told over lists and models; often nothing but overflow."""
    blocks: list[Block] = []
    models = dict.fromkeys(study.task.embeddings.name for study in studies)
    for model in models:
        own = [study for study in studies if study.task.embeddings.name == model]
        blocks += tables_at(TABLES, Place.MODEL, Told(studies=own, options=options))
    return blocks + tables_at(TABLES, Place.ALL, Told(studies=studies, options=options))
