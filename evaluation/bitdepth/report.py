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
from evaluation.bitdepth.notation import with_unit
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
from evaluation.bitdepth.summary import summary
from evaluation.bitdepth.tolerance import FEWEST_SPEAKERS, Tolerance
from evaluation.bitdepth.verdicts import Verdict
from evaluation.bootstrap import CONFIDENCE
from evaluation.metrics import BINS_PER_UNIT
from evaluation.report import Figure, Making, Points, Section, Table, render

TITLE = "What fewer bits cost in speaker verification"


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
    tolerance: Tolerance,
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
    return render(TITLE, _advice(studies, tolerance=tolerance), sections, making)


def _advice(studies: Sequence[ModelStudy], *, tolerance: Tolerance) -> str:
    # The texts begin sentences: after a name and a colon they go on with a small letter.
    texts = [(study.name, recommendation(study, tolerance=tolerance)) for study in studies]
    return " ".join(f"{name}: {text[0].lower()}{text[1:]}" for name, text in texts)


def _formats(studies: Sequence[ModelStudy], *, tolerance: Tolerance) -> Section:
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
            "Both voice vectors of a pair are stored in a smaller number format. The pair is "
            "accepted where the cosine of the two reaches a threshold. FAR is the share of pairs "
            "of different speakers that are accepted, FRR the share of pairs of one speaker that "
            "are rejected, EER their value at the threshold where the two meet.",
            *(overview(study, tolerance=tolerance) for study in studies),
            Points(terms=terms),
        ],
    )


def _model(study: ModelStudy, extra: Extras, *, tolerance: Tolerance) -> Section:
    base = study.float32
    published = against_published(study, extra.published) if extra.published else None
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
