"""Answers by Triton's kernels, on whatever device Triton runs on.

On such a device values are not looked at before the work begins, for that would wait for it: pairs
and ranges must be right, and where fewer than k rows take part in a search, the rest of an answer
is row -1 with score NaN.

A kernel takes pointers and sizes one by one, however many, as GPUs do; functions that kernels call
take together what belongs together, and constants come in one `Way` or `Facts`.
"""

from minifloat.backends.projecting import project
from minifloat.backends.triton.coding import (
    angles,
    decode,
    encode,
    encode_pack,
    pack,
    quantize,
    quantize_in_frame,
    reciprocal_norms,
    round,
    to_lane,
    to_lane_in_frame,
    unpack,
)
from minifloat.backends.triton.scoring import above, all_scores, best, pair_scores

__all__ = [
    "above",
    "all_scores",
    "angles",
    "best",
    "decode",
    "encode",
    "encode_pack",
    "pack",
    "pair_scores",
    "project",
    "quantize",
    "quantize_in_frame",
    "reciprocal_norms",
    "round",
    "to_lane",
    "to_lane_in_frame",
    "unpack",
]
