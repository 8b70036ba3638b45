"""Arguments of every operator, in every way that it takes them, and what comes out."""

from typing import Any

import torch
from torch import Tensor

import minifloat as mf
from minifloat import ops

OPS = torch.ops.minifloat
DIM = 13


def normal(rows: int, dim: int = DIM, seed: int = 0) -> Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))


def arguments(operator: str, format: mf.Format) -> list[tuple[Any, ...]]:
    """Arguments of an operator, in every way that it takes them."""
    name = format.name
    x = normal(5)
    codes = mf.encode(x, format)
    a, b = mf.quantize(x, format), mf.quantize(normal(7, seed=1), format)
    packed = (a.codes, a.reciprocal_norms)
    strided = a.codes.T.contiguous().T
    elements = x.mul(99).to(ops.element_dtype(name))
    lane = (elements, 1 / elements.float().norm(dim=1))
    database = (b.codes, b.reciprocal_norms)
    pairs = torch.tensor([[4, 6], [0, 0]])
    sources = [x.to(dtype) for dtype in ops.SOURCES]
    learned = normal(5).requires_grad_()
    samples: dict[str, list[tuple[Any, ...]]] = {
        "encode": [(source, name, False) for source in sources] + [(x.T, name, True)],
        "decode": [(codes, name), (codes.T, name)],
        "round": [(learned, name, True), (normal(5).T.requires_grad_(), name, False)],
        "pack": [(codes, name), (codes.T, name)],
        "unpack": [(a.codes, name, DIM), (strided, name, DIM)],
        "encode_pack": [(source, name, False) for source in sources] + [(x.T, name, True)],
        "reciprocal_norms": [(a.codes, name, DIM), (strided, name, DIM)],
        "scores": [(*side, *database, name, DIM) for side in (packed, lane)],
        "scores_into": [
            (*side, *database, name, DIM, torch.full((5, 7), torch.nan)) for side in (packed, lane)
        ],
        "pair_scores": [(*side, *database, pairs, name, DIM) for side in (packed, lane)],
        "search": [
            *((*side, *database, None, None, 3, name, DIM) for side in (packed, lane)),
            (*packed, *database, torch.arange(7) % 3 > 0, torch.tensor([[1, 7]]), 3, name, DIM),
        ],
    }
    return samples[operator]


def outputs(operator: str, sample: tuple[Any, ...], backend: Any = OPS) -> list[Tensor]:
    """Return what an operator returns, or what it writes to its last argument."""
    answer = getattr(backend, operator)(*sample)
    if answer is None:
        return [sample[-1].clone()]
    return [answer] if isinstance(answer, Tensor) else list(answer)
