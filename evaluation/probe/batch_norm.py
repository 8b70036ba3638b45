"""Embeddings as they were before the batch normalisation that a model ends in."""

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.extractors import Extractor
from evaluation.probe.architecture import ends_in_batch_norm
from evaluation.probe.ranges import square_wave


def before_batch_norm(extractor: Extractor, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows with the model's last layer, a batch normalisation, undone.

    It is undone by its running statistics, in float64.
    """
    layer = getattr(extractor, "last_normalisation", None)
    name = extractor.identity["model"]
    if (
        not isinstance(layer, torch.nn.BatchNorm1d)
        or layer.running_mean is None
        or layer.running_var is None
    ):
        raise InputError(f"--embeddings is for models that end in batch normalisation; got {name}")
    if not ends_in_batch_norm(extractor, square_wave()):
        raise InputError(
            f"--embeddings is for models that end in batch normalisation; in {name} layers follow"
        )
    if rows.shape[1] != layer.num_features:
        raise InputError(
            f"--embeddings must be of the model, {layer.num_features} values; got {rows.shape[1]}"
        )
    wide = rows.astype(np.float64)
    if layer.affine:
        wide = (wide - _float64(layer.bias)) / _float64(layer.weight)
    deviation = np.sqrt(_float64(layer.running_var) + layer.eps)
    return np.asarray(wide * deviation + _float64(layer.running_mean), dtype=np.float32)


def _float64(values: torch.Tensor) -> NDArray[np.float64]:
    return np.asarray(values.detach().double().cpu().numpy())
