"""The measurement: error rates of every condition of one model, with intervals."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import minifloat as mf
from evaluation.bitdepth.measurement import Measurement
from evaluation.bitdepth.metrics import METRICS
from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.bitdepth.rows import ConditionRow
from evaluation.embeddings.cohort import Cohort
from evaluation.embeddings.embeddings import Embeddings
from evaluation.page.metric import Found, Value, compared, measured_by
from evaluation.statistics.histogram import ScoreHistogram
from evaluation.statistics.identification import Identification
from evaluation.stored.conditions import Condition, conditions
from evaluation.stored.conversion import convert, differs_by_maximum, overflowing_formats
from evaluation.stored.normalisation import REACH, normalised, refuse_alike
from evaluation.stored.scorers import FloatScorer, PackedScorer
from evaluation.trials.pairs import Scorer, Trials

# Bins over all scores of the histograms that are kept, for figures.
FIGURE_BINS = 2048

Progress = Callable[[Sequence[Condition]], Iterable[Condition]]
Keep = Callable[["ConditionResult"], None]


@dataclass(frozen=True, kw_only=True)
class ConditionResult:
    """A condition, its row, and its scores in FIGURE_BINS bins."""

    condition: Condition
    row: ConditionRow
    scores: ScoreHistogram


@dataclass(frozen=True, kw_only=True)
class Task:
    """One model on one set of trials, and where its FAR and FRR are taken.

    `name` tells it from the other tasks of a run: the model, and the list where there are more.
    `published` is the model of the published study whose threshold was taken. With a `cohort`
    scores are normalised by it, else they are cosines.
    """

    name: str
    embeddings: Embeddings
    trials: Trials
    operating_point: OperatingPoint = field(default_factory=OperatingPoint)
    published: str | None = None
    cohort: Cohort | None = None

    def __post_init__(self) -> None:
        self.operating_point.check(self.trials, source=self.name)

    def check_cohort(self) -> None:
        """Raise InputError for rows that score alike with a cohort; all ranks look at once."""
        if self.cohort is not None:
            refuse_alike(self.embeddings, self.cohort, sharing=self.trials.sharing)

    @property
    def description(self) -> str:
        """The trials, and what their scores are normalised by."""
        if self.cohort is None:
            return self.trials.description
        return f"{self.trials.description}, scores normalised by {self.cohort.words}"

    @property
    def reach(self) -> int:
        """How far from 0 scores are counted."""
        return 1 if self.cohort is None else REACH

    def scorer(self, stored: FloatScorer | PackedScorer, condition: Condition) -> Scorer:
        """Return what scores trials of embeddings that are stored in one way."""
        if self.cohort is None:
            return stored
        return normalised(
            stored, self.embeddings, self.cohort, condition, sharing=self.trials.sharing
        )


@dataclass(frozen=True, kw_only=True)
class BitdepthStudy:
    """All conditions of one task, float32 first."""

    task: Task
    results: list[ConditionResult]

    @property
    def name(self) -> str:
        """What tells the study from others of a run."""
        return self.task.name

    @property
    def float32(self) -> ConditionRow:
        """The row that all others are compared with."""
        return self.results[0].row

    def result(self, condition: Condition) -> ConditionResult:
        """Return the result of a condition that was studied."""
        return next(result for result in self.results if result.condition == condition)


def bitdepth_study(
    task: Task,
    *,
    formats: Sequence[mf.Format] = mf.FORMATS,
    draws: int = 1000,
    seed: int = 0,
    progress: Progress = iter,
    keep: Keep = lambda _: None,
) -> BitdepthStudy:
    """Return the error rates of every condition of a task.

    Where values overflow a format, it is studied without saturation too; where some vector's
    largest value is not its largest magnitude, scaled by it; and where that pays with feedback.
    `progress` wraps the conditions and yields them in turn; `keep` is given each result as soon as
    there is one.
    """
    embeddings, trials = task.embeddings, task.trials
    identification = Identification(embeddings, draws=draws, seed=seed, sharing=trials.sharing)
    measurement = Measurement(
        trials, identification, operating_point=task.operating_point, draws=draws, seed=seed
    )
    results: list[ConditionResult] = []
    of_float32: dict[str, Found] = {}
    overflowed = overflowing_formats(embeddings.rows, formats)
    every = conditions(
        formats,
        unsaturated=overflowed,
        by_maximum=differs_by_maximum(embeddings.rows),
        feeds_back=embeddings.feeds_back,
    )

    # What is converted ends with the call: two conditions of many vectors are never held at once.
    def result_of(condition: Condition) -> ConditionResult:
        nonlocal of_float32
        converted = convert(embeddings, condition)
        scorer = task.scorer(converted.scorer, condition)
        histogram = histogram_of(trials, scorer, reach=task.reach)
        measured = measurement.of(converted, scorer, histogram)
        found = measured_by(METRICS, measured)
        of_float32 = of_float32 or found
        row = _row(task, condition, measured.threshold, compared(found, of_float32))
        coarse = histogram.coarse(bins=FIGURE_BINS)
        return ConditionResult(condition=condition, row=row, scores=coarse)

    for condition in progress(every):
        results.append(result_of(condition))
        keep(results[-1])
    return BitdepthStudy(task=task, results=results)


def histogram_of(trials: Trials, scorer: Scorer, *, reach: int) -> ScoreHistogram:
    """Return the scores of all trials, of all ranks, counted."""
    histogram = ScoreHistogram(reach=reach)
    for batch in trials.batches(scorer):
        histogram.add(batch.scores, target=batch.target)
    targets, nontargets = trials.sharing.summed(histogram.targets, histogram.nontargets)
    return ScoreHistogram(targets, nontargets, reach)


def _row(
    task: Task, condition: Condition, threshold: float, values: Mapping[str, Value]
) -> ConditionRow:
    embeddings, trials = task.embeddings, task.trials
    return ConditionRow(
        model=embeddings.name,
        format=condition.name,
        bits=condition.bits,
        prepared=condition.prepared,
        saturate=condition.saturate,
        trials=task.description,
        vectors=len(embeddings),
        dim=embeddings.dim,
        speakers=trials.speakers,
        targets=trials.targets,
        nontargets=trials.nontargets,
        threshold=threshold,
        values=values,
    )
