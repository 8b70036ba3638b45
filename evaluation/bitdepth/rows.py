"""What is known of one condition of one model: numbers, with intervals where they are estimates."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.statistics.estimates import Estimate


@dataclass(frozen=True, kw_only=True)
class ConditionRow:
    """One condition of one model.

    FAR, FRR, the four counts and the decisions are taken at `threshold`; `eer_threshold` is where
    FAR and FRR meet, `eer_threshold_shift` its distance from float32's. `min_dcf` holds the
    minimum detection cost by the prior of a target. `same_decision` is the share of trials that
    are decided as in float32. top1, top5 and recall10 are as in `IdentificationRates`, of `queries`
    recordings; the rest is as in `Converted`.
    """

    model: str
    format: str
    bits: int
    scale: str
    saturate: bool
    trials: str
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
    min_dcf: Mapping[float, Estimate]
    same_decision: Estimate
    flipped_targets: int
    flipped_nontargets: int
    queries: int
    top1: Estimate
    top5: Estimate
    recall10: Estimate
    cosine_loss: float
    overflow: float
    underflow: float
    bytes_per_vector: int
    total_bytes: int
