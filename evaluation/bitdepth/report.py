"""The page that tells the outcome of the studies of several models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

import minifloat as mf
from evaluation.bitdepth.comparison_tables import (
    against_published,
    by_list,
    overflow_table,
    speed_table,
    storage_table,
)
from evaluation.bitdepth.figures.figures import UNFOLDED
from evaluation.bitdepth.overflow import Overflow
from evaluation.bitdepth.recommendation import advice, applied, recommended
from evaluation.bitdepth.report_tables import (
    decisions,
    error_rates,
    identification,
    overview,
    values,
)
from evaluation.bitdepth.speed import Speed
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.bitdepth.summary import summary
from evaluation.bitdepth.tolerance import FEWEST_SPEAKERS, Tolerance
from evaluation.bitdepth.verdicts import Verdict
from evaluation.page.figure import Figure
from evaluation.page.notation import with_unit
from evaluation.page.page import Block, Fold, Making, Points, Section, render
from evaluation.statistics.estimates import CONFIDENCE
from evaluation.statistics.histogram import BINS_PER_UNIT
from evaluation.trials.voxceleb import list_names

TITLE = "What fewer bits cost in speaker verification"


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What is told of a study besides its rows."""

    figures: Sequence[Figure]
    overflow_format: mf.Format | None
    overflows: Sequence[Overflow]
    speeds: Sequence[Speed]


def report(
    studies: Sequence[BitdepthStudy],
    extras: Mapping[str, Extras],
    *,
    command: str,
    draws: int,
    seed: int,
    tolerance: Tolerance,
) -> str:
    """Return the page; `extras` holds what is told of each study by its name."""
    sections = [_formats(studies, tolerance=tolerance)]
    for study in studies:
        sections.append(_model(study, extras[study.name], tolerance=tolerance))
    beyond = _beyond(studies, extras)
    if beyond:
        sections.append(Section(title="What else was measured", blocks=beyond))
    confidence = round(100 * CONFIDENCE)
    making = Making(
        command=command,
        seed=seed,
        data={study.task.embeddings.name: study.task.embeddings.sha256 for study in studies},
        facts={
            "intervals": f"{confidence} %, percentiles of {draws} draws of speakers with "
            "replacement; the same draws for every format, so that differences are paired. A pair "
            "of different speakers counts as often as both are drawn, a pair of one speaker as "
            "often as that one is.",
            "resolution": f"EER is interpolated between thresholds 1/{BINS_PER_UNIT:,} apart; FAR, "
            "FRR and the four counts at the threshold are exact.",
        },
    )
    return render(TITLE, _opening(studies, tolerance=tolerance), sections, making)


def _opening(studies: Sequence[BitdepthStudy], *, tolerance: Tolerance) -> list[Block]:
    """Return for each model what to take and the code that does, and what the two rates are."""
    terms = {}
    for study in studies:
        best = recommended(study, tolerance=tolerance)
        code = Markup("<code>{}</code>").format(applied(best)) if best else ""
        terms[study.name] = Markup("{} {}").format(advice(study, tolerance=tolerance), code)
    return [
        Points(terms=terms),
        "Two voices are taken for one where the cosine of their vectors reaches a threshold. FAR "
        "(false acceptance rate) is the share of pairs of different speakers that are accepted, "
        "FRR (false rejection rate) the share of pairs of one speaker that are rejected, both "
        "with the threshold that float32 uses.",
    ]


def _formats(studies: Sequence[BitdepthStudy], *, tolerance: Tolerance) -> Section:
    last = studies[0].results[-1]
    terms = {
        Verdict.WITHIN.value: "FAR and FRR with the threshold of float32, and EER, are each shown "
        f"to rise by no more than {tolerance.words}: the interval of the change ends there or "
        "below. The smallest such format is recommended. That is as sure as intervals of "
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
        "scaled": "Each vector is first multiplied by the factor that takes its largest value to "
        "the largest of the format. A cosine does not depend on the factor, so it need not be "
        "kept.",
    }
    return Section(
        title="Which formats can be used",
        blocks=[
            "Both vectors of a pair are stored in a smaller number format. EER (equal error rate) "
            "is the value of FAR and FRR at the threshold where the two meet.",
            *(overview(study, tolerance=tolerance) for study in studies),
            Points(terms=terms),
        ],
    )


def _model(study: BitdepthStudy, extra: Extras, *, tolerance: Tolerance) -> Section:
    base = study.float32
    published = against_published(study)
    few = "With so few speakers the intervals are too narrow to rely on. "
    return Section(
        title=study.name,
        blocks=[
            f"{base.vectors:,} vectors of {base.dim} values; {base.trials}: {base.targets:,} "
            f"pairs of one speaker (targets) and {base.nontargets:,} of different ones "
            f"(non-targets), {base.speakers} speakers. "
            f"{few if base.speakers < FEWEST_SPEAKERS else ''}"
            f"In float32 the equal error rate is {with_unit(base.eer.value)}.",
            Points(points=summary(study, tolerance=tolerance)),
            error_rates(study, tolerance=tolerance),
            *([published] if published else []),
            *extra.figures[:UNFOLDED],
            Fold(title="Decisions, pair by pair", blocks=[decisions(study)]),
            Fold(title="Detection cost and identification", blocks=[identification(study)]),
            Fold(title="Values and storage", blocks=[values(study)]),
            Fold(title="Scores, DET curves and counts", blocks=extra.figures[UNFOLDED:]),
        ],
    )


def _beyond(studies: Sequence[BitdepthStudy], extras: Mapping[str, Extras]) -> list[Block]:
    """Return what is told over lists and models; often nothing but overflow."""
    blocks: list[Block] = []
    models = dict.fromkeys(study.task.embeddings.name for study in studies)
    for model in models:
        own = [study for study in studies if study.task.embeddings.name == model]
        if len(own) > 1:
            blocks.append(by_list(own))
        study, extra = own[0], extras[own[0].name]
        if extra.speeds:
            blocks.append(speed_table(study, extra.speeds))
        if extra.overflow_format and extra.overflows:
            overflow = overflow_table(study, extra.overflow_format, extra.overflows)
            blocks.append(Fold(title=overflow.caption, blocks=[overflow]))
    if any(list_names(study.float32.targets + study.float32.nontargets) for study in studies):
        blocks.append(storage_table())
    return blocks
