"""The measurement: how well one model separates speakers, stored in every format."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

import minifloat as mf
from evaluation.command.sharing import ALONE, Sharing
from evaluation.embeddings.embeddings import Embeddings
from evaluation.page.metric import MeasuredRow, Value, compared
from evaluation.separation.definitions import Definitions
from evaluation.separation.measurement import measurement
from evaluation.separation.metrics import METRICS
from evaluation.separation.metrics.metric import StepMetric
from evaluation.separation.overlap import Overlap
from evaluation.separation.speaker_map import speaker_map
from evaluation.statistics.estimates import Number
from evaluation.statistics.speaker_draws import SpeakerDraws
from evaluation.stored.conditions import Condition, conditions
from evaluation.stored.conversion import stored_rows


class Space(Enum):
    """Where distances are taken: between the rows themselves, or between their places on a map."""

    COSINE = "cosine"
    MAP = "umap"

    @property
    def distance(self) -> str:
        """What the distances are called."""
        return "cosine" if self is Space.COSINE else "Euclidean"

    @property
    def place(self) -> str:
        """The distances and where they are taken, as a title."""
        return "cosine" if self is Space.COSINE else "Euclidean in 2-D UMAP"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to be measured: rows stored in one way, in one space."""

    condition: Condition
    space: Space


Progress = Callable[[Sequence[Step]], Iterable[Step]]
Keep = Callable[["StepResult"], None]


@dataclass(frozen=True, kw_only=True)
class StepRow(MeasuredRow):
    """One step of one model; `row[METRIC]` is what a metric of METRICS found.

    `zero_rows` are the vectors that storing left without a direction. The bandwidths are those of
    OIIDD's two densities.
    """

    model: str
    format: str
    bits: int
    prepared: str
    space: str
    vectors: int
    dim: int
    speakers: int
    zero_rows: int
    values: Mapping[str, Value]
    own_bandwidth: float
    other_bandwidth: float


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """A step, its row, its two densities, each metric in each draw, and the map if one was made."""

    step: Step
    row: StepRow
    overlap: Overlap
    draws: Mapping[StepMetric, NDArray[np.float64]]
    points: NDArray[np.float32] | None


@dataclass(frozen=True, kw_only=True)
class SeparationStudy:
    """All steps of one model, those of float32 first."""

    embeddings: Embeddings
    results: list[StepResult]

    def result(self, condition: Condition, space: Space) -> StepResult | None:
        """Return the result of a step; none where it was not asked for."""
        step = Step(condition=condition, space=space)
        return next((result for result in self.results if result.step == step), None)

    def float32(self, space: Space) -> StepResult:
        """Return what all others in a space are compared with."""
        return next(
            result
            for result in self.results
            if result.step.condition.is_float32 and result.step.space is space
        )


def steps_of(formats: Sequence[mf.Format], mapped: Sequence[mf.Format]) -> list[Step]:
    """Return the steps of float32, float16, bfloat16 and every format, as it is, scaled and framed.

    All are measured by cosine distances, float32 and the formats in `mapped` on a map too.
    """
    every = conditions(formats)
    maps = [condition for condition in every if condition.is_float32 or condition.format in mapped]
    return [Step(condition=condition, space=Space.COSINE) for condition in every] + [
        Step(condition=condition, space=Space.MAP) for condition in maps
    ]


def separation_study(
    embeddings: Embeddings,
    steps: Sequence[Step],
    *,
    definitions: Definitions,
    draws: int = 1000,
    seed: int = 0,
    progress: Progress = iter,
    keep: Keep = lambda _: None,
    sharing: Sharing = ALONE,
) -> SeparationStudy:
    """Return the metrics of a model at each step.

    `progress` wraps the steps and yields them in turn; `keep` is given each result. Each step is
    measured by one of the ranks.
    """
    speakers = SpeakerDraws(embeddings, draws=draws, seed=seed)
    results: list[StepResult] = []
    reference: dict[Space, dict[str, Number]] = {}
    every = sharing.map(lambda step: _found(embeddings, step, definitions, speakers), steps)
    for step, found in zip(progress(steps), every, strict=True):
        # float32 comes first in each space: all that follow are compared with it.
        float32 = reference.setdefault(step.space, found.numbers)
        results.append(
            StepResult(
                step=step,
                row=_row(embeddings, step, found, compared(found.numbers, float32)),
                overlap=found.overlap,
                draws={metric: found.numbers[metric.name].draws for metric in METRICS},
                points=found.points,
            )
        )
        keep(results[-1])
    return SeparationStudy(embeddings=embeddings, results=results)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A step by itself: what each metric finds, by its name, and what figures show."""

    numbers: dict[str, Number]
    overlap: Overlap
    points: NDArray[np.float32] | None
    zero_rows: int


def _found(
    embeddings: Embeddings, step: Step, definitions: Definitions, speakers: SpeakerDraws
) -> _Found:
    rows = stored_rows(embeddings, step.condition)
    if step.space is Space.COSINE:
        points = None
        distances = definitions.cosine(rows, embeddings.speaker)
    else:
        points = speaker_map(rows, definitions.map)
        distances = definitions.on_map(points, embeddings.speaker)
    measured = measurement(distances, embeddings.speaker, speakers, definitions.density)
    return _Found(
        numbers={metric.name: metric.measure(measured) for metric in METRICS},
        overlap=measured.overlap,
        points=points,
        zero_rows=int((~rows.any(axis=1)).sum()),
    )


def _row(embeddings: Embeddings, step: Step, found: _Found, values: Mapping[str, Value]) -> StepRow:
    own, other = found.overlap.bandwidths
    return StepRow(
        model=embeddings.name,
        format=step.condition.name,
        bits=step.condition.bits,
        prepared=step.condition.prepared,
        space=step.space.value,
        vectors=len(embeddings),
        dim=embeddings.dim,
        speakers=len(embeddings.speaker_names),
        zero_rows=found.zero_rows,
        values=values,
        own_bandwidth=own,
        other_bandwidth=other,
    )
