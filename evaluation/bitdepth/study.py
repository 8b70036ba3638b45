"""The measurement: error rates of every condition of one model, with intervals."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import minifloat as mf
from evaluation.bitdepth.conditions import Condition, Converted, conditions
from evaluation.bootstrap import SpeakerBootstrap, interval, threshold_grid
from evaluation.data import Embeddings
from evaluation.errors import InputError
from evaluation.metrics import EqualError, ScoreHistogram, float32_threshold
from evaluation.trials import Scorer, Trials

# Bins over [-1, 1] of the histograms that are kept, for figures.
FIGURE_BINS = 2048

Progress = Callable[[Sequence[Condition]], Iterable[Condition]]
Keep = Callable[["Result"], None]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A rate with its 95 % interval, and its difference from float32 with the same.

    Shares of 1, not percent. The draws of speakers are the same on both sides of a difference.
    """

    value: float
    low: float
    high: float
    change: float
    change_low: float
    change_high: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One condition of one model.

    FAR, FRR and the four counts are taken at `threshold`; `eer_threshold` is where FAR and FRR
    meet, `eer_threshold_shift` its distance from float32's. The rest is as in `Converted`.
    """

    model: str
    format: str
    bits: int
    scale: str
    vectors: int
    dim: int
    speakers: int
    targets: int
    nontargets: int
    threshold: float
    tp: int
    tn: int
    fp: int
    fn: int
    far: Estimate
    frr: Estimate
    eer: Estimate
    eer_threshold: float
    eer_threshold_shift: float
    cosine_loss: float
    overflow: float
    underflow: float
    bytes_per_vector: int
    total_bytes: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """A condition, its row, and its scores in FIGURE_BINS bins."""

    condition: Condition
    row: Row
    scores: ScoreHistogram


@dataclass(frozen=True, kw_only=True)
class ModelStudy:
    """All conditions of one model, float32 first."""

    embeddings: Embeddings
    trials: str
    threshold_given: bool
    results: list[Result]

    @property
    def float32(self) -> Row:
        """The row that all others are compared with."""
        return self.results[0].row


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """The error rates of one condition at the fixed threshold, and all their draws."""

    equal: EqualError
    fp: int
    fn: int
    far: NDArray[np.float64]
    frr: NDArray[np.float64]
    eer: NDArray[np.float64]


def study(
    embeddings: Embeddings,
    trials: Trials,
    *,
    formats: Sequence[mf.Format] = mf.FORMATS,
    threshold: float | None = None,
    draws: int = 1000,
    seed: int = 0,
    progress: Progress = iter,
    keep: Keep = lambda _: None,
) -> ModelStudy:
    """Return the error rates of every condition on the trials.

    FAR and FRR are taken at `threshold`, or else where float32's meet. `progress` wraps the
    conditions and yields them in turn; `keep` is given each result as soon as there is one.
    """
    if threshold is not None and not -1 < threshold <= 1:
        raise InputError(f"threshold must be above -1 and at most 1; got {threshold}")
    bootstrap = SpeakerBootstrap(trials, draws=draws, seed=seed)
    fixed = None if threshold is None else float32_threshold(threshold)
    results: list[Result] = []
    reference: _Measured | None = None
    for condition in progress(conditions(formats)):
        converted = condition.convert(embeddings)
        histogram = _histogram(trials, converted.scorer)
        # float32 comes first: its own threshold holds for all that follow.
        if fixed is None:
            fixed = np.float32(histogram.equal_error().threshold)
        measured = _measure(bootstrap, converted.scorer, histogram, fixed=fixed)
        reference = reference or measured
        row = _row(
            embeddings, trials, condition, converted, measured, reference, threshold=float(fixed)
        )
        coarse = histogram.coarse(bins=FIGURE_BINS)
        results.append(Result(condition=condition, row=row, scores=coarse))
        keep(results[-1])
    return ModelStudy(
        embeddings=embeddings,
        trials=trials.description,
        threshold_given=threshold is not None,
        results=results,
    )


def _histogram(trials: Trials, scorer: Scorer) -> ScoreHistogram:
    histogram = ScoreHistogram()
    for batch in trials.batches(scorer):
        histogram.add(batch.scores, target=batch.target)
    return histogram


def _measure(
    bootstrap: SpeakerBootstrap, scorer: Scorer, histogram: ScoreHistogram, *, fixed: np.float32
) -> _Measured:
    errors = bootstrap.errors(scorer, threshold_grid(histogram, include=fixed))
    place = errors.at(fixed)
    return _Measured(
        equal=histogram.equal_error(),
        fp=int(errors.false_accepts[place]),
        fn=int(errors.false_rejects[place]),
        far=errors.far_draws[place],
        frr=errors.frr_draws[place],
        eer=errors.equal_error_draws(),
    )


def _row(
    embeddings: Embeddings,
    trials: Trials,
    condition: Condition,
    converted: Converted,
    measured: _Measured,
    reference: _Measured,
    *,
    threshold: float,
) -> Row:
    return Row(
        model=embeddings.name,
        format=condition.name,
        bits=condition.bits,
        scale=condition.scale,
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
        far=_estimate(
            measured.fp / trials.nontargets,
            measured.far,
            of_float32=reference.fp / trials.nontargets,
            draws_of_float32=reference.far,
        ),
        frr=_estimate(
            measured.fn / trials.targets,
            measured.frr,
            of_float32=reference.fn / trials.targets,
            draws_of_float32=reference.frr,
        ),
        eer=_estimate(
            measured.equal.rate,
            measured.eer,
            of_float32=reference.equal.rate,
            draws_of_float32=reference.eer,
        ),
        eer_threshold=measured.equal.threshold,
        eer_threshold_shift=measured.equal.threshold - reference.equal.threshold,
        cosine_loss=converted.cosine_loss,
        overflow=converted.overflow,
        underflow=converted.underflow,
        bytes_per_vector=converted.bytes_per_row,
        total_bytes=converted.total_bytes,
    )


def _estimate(
    value: float,
    draws: NDArray[np.float64],
    *,
    of_float32: float,
    draws_of_float32: NDArray[np.float64],
) -> Estimate:
    low, high = interval(draws)
    change_low, change_high = interval(draws - draws_of_float32)
    return Estimate(
        value=value,
        low=low,
        high=high,
        change=value - of_float32,
        change_low=change_low,
        change_high=change_high,
    )
