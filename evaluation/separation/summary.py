"""What the numbers mean for someone who has to choose a model."""

from collections import Counter
from collections.abc import Sequence

from evaluation.page.notation import count, with_unit
from evaluation.separation.metrics.ccr import CCR
from evaluation.separation.metrics.silhouette import SILHOUETTE
from evaluation.separation.notation import with_interval
from evaluation.separation.standings import Choice, Standing, choice, wins
from evaluation.separation.study import SeparationStudy, Space, StepResult

# Below so many speakers, draws of them differ too little.
FEW_SPEAKERS = 20


def summarise(studies: Sequence[SeparationStudy], found: Sequence[Standing]) -> str:
    """Return the outcome as one paragraph; `found` is empty for a single model."""
    sentences = [_best_model(studies, found)] if found else []
    sentences.append(_confusion(studies))
    sentences.append(_storing(studies, found) if found else _storing_one(studies[0]))
    return " ".join(sentences)


def cautions(studies: Sequence[SeparationStudy]) -> list[str]:
    """Return what keeps the numbers from being taken at face value; often nothing."""
    points = []
    named = all(study.embeddings.utterance is not None for study in studies)
    first, *others = (_recordings(study, named=named) for study in studies)
    if any(other != first for other in others):
        points.append(
            "The files do not hold the same recordings: what differs between models may come from "
            "the recordings. Their intervals are of separate draws."
        )
    for study in studies:
        row = study.float32(Space.COSINE).row
        if row.speakers < FEW_SPEAKERS:
            points.append(
                f"{row.model}: with {row.speakers} speakers the intervals are too narrow to rely "
                "on."
            )
        for space in Space:
            if study.float32(space).row[CCR].value == 0:
                points.append(
                    f"{row.model}: no vector is confused by {space.distance} distances, so draws "
                    f"cannot tell by how much. Of {row.speakers:,} speakers without one, fewer "
                    f"than {with_unit(3 / row.speakers)} have such a vector (95 %, rule of three)."
                )
    return points


def _best_model(studies: Sequence[SeparationStudy], found: Sequence[Standing]) -> str:
    float32 = studies[0].float32(Space.COSINE)
    places = [one for one in found if one.step.condition == float32.step.condition]
    (best, most), *others = wins(found, float32.step.condition).items()
    clear = sum(one.lead.is_clear for one in places if one.best == best)
    # Two models may be first equally often.
    rivals = [name for name, number in others if number == most]
    size = f"{count(float32.row.vectors)} recordings of {count(float32.row.speakers)} speakers"
    if rivals:
        return (
            f"No model keeps the speakers of {size} apart best by all measures: "
            f"{' and '.join([best, *rivals])} are each first by {most} of {len(places)}."
        )
    by_cosine = all(one.best == best for one in places if one.step.space is Space.COSINE)
    certainty = (
        "each time beyond what the choice of speakers explains"
        if clear == most
        else f"{clear} times beyond what the choice of speakers explains"
    )
    return (
        f"Of {len(studies)} models on {size}, {best} keeps speakers apart best: it is first by "
        f"{most} of {len(places)} measures, {certainty}"
        f"{'' if by_cosine else ', though not by every measure of cosine distances'}."
    )


def _confusion(studies: Sequence[SeparationStudy]) -> str:
    parts = []
    for study in studies:
        row = study.float32(Space.COSINE).row
        parts.append(
            f"{with_interval(CCR, row[CCR])} for {row.model}, "
            f"{with_unit(row[CCR].value / row.vectors)}"
        )
    return (
        "Recordings that lie nearer to another speaker's average voice than to their own (cosine "
        f"distance, 95 % interval): {'; '.join(parts)}."
    )


def _storing(studies: Sequence[SeparationStudy], found: Sequence[Standing]) -> str:
    steps = [result.step for result in studies[0].results if not result.step.condition.is_float32]
    changed = [step for step in steps if choice(found, step) is Choice.CHANGED]
    smallest = min(step.condition.bits for step in steps)
    if not changed:
        return (
            "Storing the vectors in fewer bits changes the best model by none of these measures, "
            f"down to {smallest} bits a value."
        )
    doubtful = [
        one
        for one in found
        if one.step in changed and any(lead.first == one.best for lead in one.overtaken)
    ]
    sure = [one for one in doubtful if one.lead.is_clear]
    names = ", ".join(dict.fromkeys(one.step.condition.label for one in doubtful))
    return (
        f"Storing the vectors in fewer bits changes which model is best by some measure in {names}"
        + (
            "; by no more than the choice of speakers explains."
            if not sure
            else f": clearly so in {', '.join(dict.fromkeys(_named(one) for one in sure))}."
        )
    )


def _named(standing: Standing) -> str:
    step, metric = standing.step, standing.metric
    return f"{step.condition.label} ({step.space.distance} {metric.heading})"


def _storing_one(study: SeparationStudy) -> str:
    stored = [one for one in study.results if one.step.space is Space.COSINE]
    smallest = min(one.row.bits for one in stored)
    parts = [_loss(one) for one in stored if one.row.bits == smallest]
    return f"In float32 the silhouette is {_silhouette(stored[0])}; {'; '.join(parts)}."


def _loss(result: StepResult) -> str:
    ccr = CCR.show(result.row[CCR].value)
    label = result.step.condition.label
    return f"stored in {label} it is {_silhouette(result)}, with {ccr} such vectors"


def _silhouette(result: StepResult) -> str:
    return SILHOUETTE.show(result.row[SILHOUETTE].value)


def _recordings(study: SeparationStudy, *, named: bool) -> Counter[tuple[str, str]]:
    """Return how many recordings there are of each name, or of each speaker if they have none."""
    embeddings = study.embeddings
    speakers = [embeddings.speaker_names[code] for code in embeddings.speaker]
    utterances = (named and embeddings.utterance) or [""] * len(embeddings)
    return Counter(zip(speakers, utterances, strict=True))
