"""Operators of a GPU's backend for CPU tensors, which go there and back."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from minifloat import ops


def on_gpu(operator: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operator that refuses what the CPU's do, and computes on the current GPU."""

    def call(*arguments: Any) -> Any:
        operator(*arguments)
        if operator is ops.pair_scores:
            a, _, b, _, pairs, *_ = arguments
            ops.check_pairs(pairs, a, b)
        if operator is ops.search:
            _, _, b, _, mask, ranges, k, *_ = arguments
            ops.selected(mask, ranges, b, k)
        there = [x.cuda() if isinstance(x, Tensor) else x for x in arguments]
        answer = function(*there)
        if operator is ops.scores_into:
            arguments[-1].copy_(there[-1])
            return None
        if isinstance(answer, tuple):
            return tuple(t.cpu() for t in answer)
        return answer.cpu()

    return call
