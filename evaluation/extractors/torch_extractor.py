"""What the torch models share: batches of equal length, no gradients, stages by hooks."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.extractors.extractor import (
    AFTER_LAST_LAYER,
    AFTER_NORMALISATION,
    BEFORE_LAST_LAYER,
    BEFORE_NORMALISATION,
    EMBEDDING,
    FEATURES,
    INPUTS,
    VECTORS,
    WAVEFORM,
)
from evaluation.recordings.audio import SAMPLE_RATE, Waveform


class TorchExtractor:
    """The base of models that are torch modules; see `Extractor` for the attributes.

    `last_normalisation` is the last layer that normalises vectors, one for each clip; `last_layer`
    the last linear one, where no such normalisation comes before it; `feature_layer` the one whose
    output the network takes, where `features` is the waveform yet.
    """

    dim: int
    identity: dict[str, str]
    device: torch.device
    network: torch.nn.Module
    last_normalisation: torch.nn.Module | None = None
    last_layer: torch.nn.Module | None = None
    feature_layer: torch.nn.Module | None = None

    def features(self, clip: Waveform) -> torch.Tensor:
        """Return what `forward` takes of one clip, without the dimension of the batch."""
        raise NotImplementedError

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the embeddings (rows, dim) of clips of one length."""
        raise NotImplementedError

    def features_made(self, made: Any) -> torch.Tensor:
        """Return the features in what `feature_layer` gives for a batch of one clip."""
        features: torch.Tensor = made
        return features

    def embed(self, clips: Sequence[Waveform]) -> NDArray[np.float32]:
        """Return the embeddings (clips, dim).

        Only clips of one length share a batch: padding would change the vectors of most models.
        """
        rows = np.empty((len(clips), self.dim), np.float32)
        with torch.inference_mode():
            places: dict[torch.Size, list[int]] = defaultdict(list)
            features = [self.features(clip) for clip in clips]
            for place, one in enumerate(features):
                places[one.shape].append(place)
            for group in places.values():
                batch = torch.stack([features[place] for place in group])
                rows[group] = self.forward(batch).float().cpu().numpy()
        return rows

    def measured_dim(self) -> int:
        """Return how many values a vector has, by one of a second of noise."""
        noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
        with torch.inference_mode():
            return int(self.forward(self.features(noise)[None]).shape[1])

    def stages(self, clip: Waveform) -> dict[str, NDArray[np.float32]]:
        """Return the stages of one clip; see `StagedExtractor`."""
        seen: dict[str, torch.Tensor] = {}

        def at_normalisation(_: torch.nn.Module, given: tuple[Any, ...], made: Any) -> None:
            seen[BEFORE_NORMALISATION], seen[AFTER_NORMALISATION] = given[0], made

        def at_last_layer(_: torch.nn.Module, given: tuple[Any, ...], made: Any) -> None:
            seen[BEFORE_LAST_LAYER], seen[AFTER_LAST_LAYER] = given[0], made

        def at_features(_: torch.nn.Module, given: tuple[Any, ...], made: Any) -> None:
            seen[WAVEFORM], seen[FEATURES] = features, self.features_made(made)

        hooked = (
            (self.last_normalisation, at_normalisation),
            (self.last_layer, at_last_layer),
            (self.feature_layer, at_features),
        )
        handles = [layer.register_forward_hook(hook) for layer, hook in hooked if layer is not None]
        try:
            with torch.inference_mode():
                features = self.features(clip)
                embedding = self.forward(features[None])
        finally:
            for handle in handles:
                handle.remove()
        found = {FEATURES: features} | seen | {EMBEDDING: embedding}
        return {
            name: found[name].squeeze().float().cpu().numpy()
            for name in (*INPUTS, *VECTORS)
            if name in found
        }
