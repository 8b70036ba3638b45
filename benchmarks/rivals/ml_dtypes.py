"""Casts of ml_dtypes, which run on one thread."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.codec import CodecJob
from benchmarks.harness.rival import Rival
from benchmarks.harness.timing import Run


def _cast(job: CodecJob) -> Run | None:
    import ml_dtypes

    dtype = job.format.ml_dtype
    if dtype is None:
        return None

    def array(t: Tensor) -> NDArray[Any]:
        if t.dtype == torch.bfloat16:
            return t.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
        return t.numpy().view(dtype) if t.dtype == torch.uint8 else t.numpy()

    x = array(job.x)
    if job.out is None:
        return partial(x.astype, array(job.expected).dtype)
    return partial(np.copyto, array(job.out), x, casting="unsafe")


RIVALS = (Rival("ml_dtypes", ("encode", "decode"), _cast, CodecJob.check),)
