"""The measurement: error rates of every condition of one model, with intervals."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import minifloat as mf
from evaluation.bitdepth.conditions import Condition, Converted, conditions, overflowing_formats
from evaluation.bitdepth.measurement import Measured, Measurement
from evaluation.bitdepth.rows import Row, estimate
from evaluation.data import Embeddings
from evaluation.errors import InputError
from evaluation.identification import Identification
from evaluation.metrics import ScoreHistogram, float32_threshold
from evaluation.trials import Scorer, Trials

# Bins over [-1, 1] of the histograms that are kept, for figures.
FIGURE_BINS = 2048

Progress = Callable[[Sequence[Condition]], Iterable[Condition]]
Keep = Callable[["Result"], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """A condition, its row, and its scores in FIGURE_BINS bins."""

    condition: Condition
    row: Row
    scores: ScoreHistogram


@dataclass(frozen=True, kw_only=True)
class ModelStudy:
    """All conditions of one model on one set of trials, float32 first.

    `name` tells it from the other studies of a run: the model, and the list where there are more.
    """

    name: str
    embeddings: Embeddings
    trials: Trials
    threshold_given: bool
    results: list[Result]

    @property
    def float32(self) -> Row:
        """The row that all others are compared with."""
        return self.results[0].row

    def result(self, condition: Condition) -> Result:
        """Return the result of a condition that was studied."""
        return next(result for result in self.results if result.condition == condition)


def study(
    embeddings: Embeddings,
    trials: Trials,
    *,
    name: str | None = None,
    formats: Sequence[mf.Format] = mf.FORMATS,
    threshold: float | None = None,
    draws: int = 1000,
    seed: int = 0,
    progress: Progress = iter,
    keep: Keep = lambda _: None,
) -> ModelStudy:
    """Return the error rates of every condition on the trials.

    FAR and FRR are taken at `threshold`, or else where float32's meet. Where values overflow a
    format, it is studied without saturation too. `progress` wraps the conditions and yields them
    in turn; `keep` is given each result as soon as there is one.
    """
    if threshold is not None and not -1 < threshold <= 1:
        raise InputError(f"threshold must be above -1 and at most 1; got {threshold}")
    identification = Identification(embeddings, draws=draws, seed=seed)
    fixed = None if threshold is None else float32_threshold(threshold)
    measurement = Measurement(trials, identification, threshold=fixed, draws=draws, seed=seed)
    results: list[Result] = []
    reference: Measured | None = None
    overflowed = overflowing_formats(embeddings.rows, formats)
    for condition in progress(conditions(formats, unsaturated=overflowed)):
        converted = condition.convert(embeddings)
        histogram = histogram_of(trials, converted.scorer)
        measured = measurement.of(converted, histogram)
        reference = reference or measured
        row = _row(
            embeddings,
            trials,
            condition,
            converted,
            measured,
            reference,
            threshold=measured.threshold,
            queries=identification.queries,
        )
        coarse = histogram.coarse(bins=FIGURE_BINS)
        results.append(Result(condition=condition, row=row, scores=coarse))
        keep(results[-1])
    return ModelStudy(
        name=name or embeddings.name,
        embeddings=embeddings,
        trials=trials,
        threshold_given=threshold is not None,
        results=results,
    )


def histogram_of(trials: Trials, scorer: Scorer) -> ScoreHistogram:
    """Return the scores of all trials, counted."""
    histogram = ScoreHistogram()
    for batch in trials.batches(scorer):
        histogram.add(batch.scores, target=batch.target)
    return histogram


def _row(
    embeddings: Embeddings,
    trials: Trials,
    condition: Condition,
    converted: Converted,
    measured: Measured,
    reference: Measured,
    *,
    threshold: float,
    queries: int,
) -> Row:
    return Row(
        model=embeddings.name,
        format=condition.name,
        bits=condition.bits,
        scale=condition.scale,
        saturate=condition.saturate,
        trials=trials.description,
        vectors=len(embeddings),
        dim=embeddings.dim,
        speakers=trials.speakers,
        targets=trials.targets,
        nontargets=trials.nontargets,
        threshold=threshold,
        tp=trials.targets - measured.fn,
        tn=trials.nontargets - measured.fp,
        fp=measured.fp,
        fn=measured.fn,
        eer_threshold=measured.eer_threshold,
        eer_threshold_shift=measured.eer_threshold - reference.eer_threshold,
        min_dcf={
            prior: estimate(number, reference.min_dcf[prior])
            for prior, number in measured.min_dcf.items()
        },
        flipped_targets=measured.flipped_targets,
        flipped_nontargets=measured.flipped_nontargets,
        queries=queries,
        cosine_loss=converted.cosine_loss,
        overflow=converted.overflow,
        underflow=converted.underflow,
        bytes_per_vector=converted.bytes_per_row,
        total_bytes=converted.total_bytes,
        **{
            name: estimate(number, reference.estimates[name])
            for name, number in measured.estimates.items()
        },
    )
