"""The page that tells the outcome of the studies of several models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import minifloat as mf
from evaluation.bitdepth.comparison_tables import (
    against_published,
    by_list,
    overflow_table,
    speed_table,
    storage_table,
)
from evaluation.bitdepth.notation import percent, with_unit
from evaluation.bitdepth.overflow import Overflow
from evaluation.bitdepth.recommendation import recommendation
from evaluation.bitdepth.report_tables import (
    decisions,
    error_rates,
    identification,
    overview,
    values,
)
from evaluation.bitdepth.speed import Speed
from evaluation.bitdepth.study import ModelStudy
from evaluation.bitdepth.verdicts import Verdict, summarise
from evaluation.bootstrap import CONFIDENCE
from evaluation.metrics import BINS_PER_UNIT
from evaluation.report import Figure, Making, Points, Section, Table, render

TITLE = "What fewer bits cost in speaker verification"
# Below so many speakers, draws of them differ too little.
FEW_SPEAKERS = 20


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What is told of a study besides its rows.

    `published` is the model of the published study whose threshold was taken.
    """

    figures: Sequence[Figure]
    published: str | None
    overflow_format: mf.Format | None
    overflows: Sequence[Overflow]
    speeds: Sequence[Speed]


def report(
    studies: Sequence[ModelStudy],
    extras: Mapping[str, Extras],
    *,
    command: str,
    draws: int,
    seed: int,
    tolerance: float,
) -> str:
    """Return the page; `extras` holds what is told of each study by its name."""
    sections = [_formats(studies, tolerance=tolerance)]
    for study in studies:
        sections.append(_model(study, extras[study.name], tolerance=tolerance))
    sections.append(_beyond(studies, extras))
    confidence = round(100 * CONFIDENCE)
    making = Making(
        command=command,
        seed=seed,
        data={study.embeddings.name: study.embeddings.sha256 for study in studies},
        facts={
            "intervals": f"{confidence} %, percentiles of {draws} draws of speakers with "
            "replacement; the same draws for every format, so that differences are paired. A pair "
            "of different speakers counts as often as both are drawn, a pair of one speaker as "
            "often as that one is.",
            "resolution": f"EER is interpolated between thresholds 1/{BINS_PER_UNIT:,} apart; FAR, "
            "FRR and the four counts at the threshold are exact.",
        },
    )
    return render(TITLE, _summary(studies, tolerance=tolerance), sections, making)


def _summary(studies: Sequence[ModelStudy], *, tolerance: float) -> str:
    return " ".join(recommendation(study, tolerance=tolerance) for study in studies)


def _formats(studies: Sequence[ModelStudy], *, tolerance: float) -> Section:
    last = studies[0].results[-1]
    terms = {
        Verdict.SAFE.value: "With the threshold of float32 neither FAR nor FRR rises by more than "
        f"{percent(tolerance)} percentage points.",
        Verdict.RETUNE.value: "One of them does, but the equal error rate rises by no more than "
        "that: set the threshold anew.",
        Verdict.COSTLY.value: "Neither holds: accuracy is lost at any threshold.",
        last.condition.name.upper(): "A name tells the bits of exponent (E) and mantissa (M); with "
        f"the sign, {last.condition.name.upper()} takes {last.row.bits} bits a value.",
        "scaled": "Each vector is first multiplied by the factor that takes its largest value to "
        "the largest of the format. A cosine does not depend on the factor, so it need not be "
        "kept.",
    }
    return Section(
        title="Which formats can be used",
        blocks=[
            "Both voice vectors of a pair are stored in a smaller number format. The pair is "
            "accepted where the cosine of the two reaches a threshold. FAR is the share of pairs "
            "of different speakers that are accepted, FRR the share of pairs of one speaker that "
            "are rejected, EER their value at the threshold where the two meet.",
            *(overview(study, tolerance=tolerance) for study in studies),
            Points(terms=terms),
        ],
    )


def _model(study: ModelStudy, extra: Extras, *, tolerance: float) -> Section:
    base, summary = study.float32, summarise(study, tolerance=tolerance)
    published = against_published(study, extra.published) if extra.published else None
    few = "With so few speakers the intervals are too narrow to rely on. "
    return Section(
        title=study.name,
        blocks=[
            f"{base.vectors:,} vectors of {base.dim} values; {base.trials}: {base.targets:,} "
            f"pairs of one speaker (targets) and {base.nontargets:,} of different ones "
            f"(non-targets), {base.speakers} speakers. "
            f"{few if base.speakers < FEW_SPEAKERS else ''}"
            f"In float32 the equal error rate is {with_unit(base.eer.value)}.",
            Points(points=[summary.headline, *summary.points]),
            error_rates(study, tolerance=tolerance),
            decisions(study),
            identification(study),
            values(study),
            *([published] if published else []),
            *extra.figures,
        ],
    )


def _beyond(studies: Sequence[ModelStudy], extras: Mapping[str, Extras]) -> Section:
    """Return what is told over lists and models."""
    blocks: list[Table] = []
    models = dict.fromkeys(study.embeddings.name for study in studies)
    for model in models:
        own = [study for study in studies if study.embeddings.name == model]
        if len(own) > 1:
            blocks.append(by_list(own))
        study, extra = own[0], extras[own[0].name]
        if extra.overflow_format and extra.overflows:
            blocks.append(overflow_table(study, extra.overflow_format, extra.overflows))
        if extra.speeds:
            blocks.append(speed_table(study, extra.speeds))
    return Section(title="Overflow, speed and storage", blocks=[*blocks, storage_table()])
