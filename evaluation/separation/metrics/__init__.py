"""The metrics of the separation study, in the order of the columns of metrics.csv."""

from evaluation.separation.metrics.ccr import CCR
from evaluation.separation.metrics.metric import StepMetric
from evaluation.separation.metrics.oiidd import OIIDD
from evaluation.separation.metrics.silhouette import SILHOUETTE

METRICS: tuple[StepMetric, ...] = (OIIDD, CCR, SILHOUETTE)
