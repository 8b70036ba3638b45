"""Whether what is kept of two packed vectors is the same."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from minifloat.files.mapping import refuse_changes


def same(fields: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> bool:
    """Return whether fields on one device are there in both and equal; NaN equal each other."""
    if fields.keys() != others.keys():
        return False
    refuse_changes(fields["codes"], others["codes"])
    return torch.equal(fields["codes"], others["codes"]) and all(
        bool(((a == b) | (a.isnan() & b.isnan())).all())
        for a, b in zip(fields.values(), others.values(), strict=True)
    )
