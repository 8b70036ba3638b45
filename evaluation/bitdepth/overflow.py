"""What becomes of vectors whose values are too large, with and without saturation."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import minifloat as mf
from evaluation.bitdepth.study import BitdepthStudy
from evaluation.embeddings.embeddings import Embeddings
from evaluation.statistics.bootstrap import SpeakerBootstrap
from evaluation.statistics.estimates import Estimate, Number, estimate
from evaluation.stored.conversion import convert, overflowing
from evaluation.stored.scorers import PackedScorer
from evaluation.trials.pairs import Scorer

# The largest value of the embeddings, as a multiple of the format's largest.
SIZES = (1.0, 1.25, 1.5, 2.0)


@dataclass(frozen=True, kw_only=True)
class Overflow:
    """Rates of embeddings that were multiplied so that their largest value is `largest`.

    `values` and `vectors` are the shares that overflow; a vector does where one of its values
    does. Differences are from float32, whose cosines no factor changes.
    """

    largest: float
    saturate: bool
    values: float
    vectors: float
    far: Estimate
    frr: Estimate


def first_to_overflow(formats: Sequence[mf.Format]) -> mf.Format | None:
    """Return the format with the least range of those that have infinity or NaN, or None."""
    able = [format for format in formats if format.specials != "none"]
    return min(able, key=lambda format: format.max) if able else None


def overflows(study: BitdepthStudy, format: mf.Format, *, draws: int, seed: int) -> list[Overflow]:
    """Return the rates of a model in a format as it is, its values made larger step by step."""
    embeddings, trials = study.task.embeddings, study.task.trials
    largest = float(np.abs(embeddings.rows).max())
    if not largest > 0:
        return []
    bootstrap = SpeakerBootstrap(trials, draws=draws, seed=seed)
    grid = np.array([study.float32.threshold], np.float32)

    def rates(scorer: Scorer) -> tuple[Number, Number]:
        errors = bootstrap.errors(scorer, grid)
        far = float(errors.false_accepts[0]) / trials.nontargets
        frr = float(errors.false_rejects[0]) / trials.targets
        return (
            Number(value=far, draws=errors.far_draws[0]),
            Number(value=frr, draws=errors.frr_draws[0]),
        )

    of_float32 = rates(convert(embeddings, study.results[0].condition).scorer)
    found = []
    for size in SIZES:
        stretched = _stretched(embeddings, size * format.max / largest)
        # By vector: a table of all values would be as large as the embeddings.
        beyond = np.concatenate([overflowing(rows, format).sum(axis=1) for rows in stretched()])
        for saturate in (True, False):
            parts = [
                mf.quantize(rows, format, scale="none", saturate=saturate) for rows in stretched()
            ]
            far, frr = rates(PackedScorer(mf.PackedVectors.cat(parts)))
            found.append(
                Overflow(
                    largest=size * format.max,
                    saturate=saturate,
                    values=float(beyond.sum() / embeddings.rows.size),
                    vectors=float((beyond > 0).mean()),
                    far=estimate(far, of_float32[0]),
                    frr=estimate(frr, of_float32[1]),
                )
            )
    return found


def _stretched(
    embeddings: Embeddings, factor: float
) -> Callable[[], Iterator[NDArray[np.float32]]]:
    # In float64: the factor of tiny values exceeds float32.
    return lambda: (
        np.multiply(embeddings.rows[block], factor, dtype=np.float64).astype(np.float32)
        for block in embeddings.blocks()
    )
