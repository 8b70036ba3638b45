"""Which model is best by each metric, how surely, and whether the way of storing changes that."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from evaluation.separation.metrics import METRICS
from evaluation.separation.metrics.metric import StepMetric
from evaluation.separation.study import SeparationStudy, Space, Step, StepResult
from evaluation.statistics.estimates import interval
from evaluation.stored.conditions import Condition


@dataclass(frozen=True, kw_only=True)
class Lead:
    """By how much `first` is better than `second`, with a 95 % interval; never negative itself."""

    first: str
    second: str
    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The models by one metric, best first, all stored in the same way.

    `lead` is the best one's over the next; `overtaken` are the pairs whose order is not that of
    float32: who has come ahead, and by how much.
    """

    step: Step
    metric: StepMetric
    models: list[str]
    lead: Lead
    overtaken: list[Lead]

    @property
    def best(self) -> str:
        """The model that is first."""
        return self.models[0]


def standings(studies: Sequence[SeparationStudy]) -> list[Standing]:
    """Return a standing for each step and metric, in the order of the steps; two models or more."""
    found = []
    reference: dict[tuple[Space, StepMetric], list[str]] = {}
    for step in (result.step for result in studies[0].results):
        results = [_result(one, step) for one in studies]
        for metric in METRICS:
            ranked = sorted(results, key=lambda result: _loss(result, metric))
            names = [result.row.model for result in ranked]
            # float32's steps come first in each space.
            of_float32 = reference.setdefault((step.space, metric), names)
            found.append(
                Standing(
                    step=step,
                    metric=metric,
                    models=names,
                    lead=_lead(ranked[0], ranked[1], metric),
                    overtaken=[
                        _lead(ahead, behind, metric)
                        for place, ahead in enumerate(ranked)
                        for behind in ranked[place + 1 :]
                        if of_float32.index(ahead.row.model) > of_float32.index(behind.row.model)
                    ],
                )
            )
    return found


def wins(found: Sequence[Standing], condition: Condition) -> dict[str, int]:
    """Return by how many metrics each model is best, stored in one way; most first."""
    counts: dict[str, int] = {}
    for standing in found:
        if standing.step.condition == condition:
            counts[standing.best] = counts.get(standing.best, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _result(study: SeparationStudy, step: Step) -> StepResult:
    return next(result for result in study.results if result.step == step)


def _loss(result: StepResult, metric: StepMetric) -> float:
    value = result.row[metric].value
    return -value if metric.better == "high" else value


def _lead(ahead: StepResult, behind: StepResult, metric: StepMetric) -> Lead:
    sign = 1 if metric.better == "high" else -1
    low, high = interval(sign * (ahead.draws[metric] - behind.draws[metric]))
    return Lead(
        first=ahead.row.model,
        second=behind.row.model,
        value=_loss(behind, metric) - _loss(ahead, metric),
        low=low,
        high=high,
    )


class Choice(Enum):
    """What a way of storing does to the order of the models, least first."""

    ORDER_KEPT = "same order"
    BEST_KEPT = "same best"
    CHANGED = "another best"


def choice(found: Sequence[Standing], step: Step) -> Choice:
    """Return what a step does to the order by any of its metrics, compared with float32."""
    kept = Choice.ORDER_KEPT
    for standing in found:
        if standing.step == step and standing.overtaken:
            if any(lead.first == standing.best for lead in standing.overtaken):
                return Choice.CHANGED
            kept = Choice.BEST_KEPT
    return kept
