"""The metrics of the bit-depth study, in the order of the columns of metrics.csv."""

from typing import Any

from evaluation.bitdepth.metrics.counts import FN, FP, TN, TP
from evaluation.bitdepth.metrics.detection_cost import MIN_DCF
from evaluation.bitdepth.metrics.equal_error import EER, EER_THRESHOLD, EER_THRESHOLD_SHIFT
from evaluation.bitdepth.metrics.false_acceptance import FAR
from evaluation.bitdepth.metrics.false_rejection import FRR
from evaluation.bitdepth.metrics.metric import ConditionMetric
from evaluation.bitdepth.metrics.nearest import QUERIES, RECALL10, TOP1, TOP5
from evaluation.bitdepth.metrics.same_decision import (
    FLIPPED_NONTARGETS,
    FLIPPED_TARGETS,
    SAME_DECISION,
)
from evaluation.bitdepth.metrics.size import BYTES_PER_VECTOR, TOTAL_BYTES
from evaluation.bitdepth.metrics.values import COSINE_LOSS, OVERFLOW, UNDERFLOW

METRICS: tuple[ConditionMetric[Any], ...] = (
    *(TP, TN, FP, FN),
    FAR,
    FRR,
    *(EER, EER_THRESHOLD, EER_THRESHOLD_SHIFT),
    *MIN_DCF.values(),
    *(SAME_DECISION, FLIPPED_TARGETS, FLIPPED_NONTARGETS),
    *(QUERIES, TOP1, TOP5, RECALL10),
    *(COSINE_LOSS, OVERFLOW, UNDERFLOW),
    *(BYTES_PER_VECTOR, TOTAL_BYTES),
)
