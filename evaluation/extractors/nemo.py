"""TitaNet, ECAPA-TDNN and SpeakerNet of NVIDIA NeMo, which are one class of different settings."""

import logging
from pathlib import Path
from typing import Any, ClassVar

import torch

from evaluation.extractors.library import digest, loading, release
from evaluation.extractors.model import Model
from evaluation.extractors.torch_extractor import TorchExtractor
from evaluation.recordings.audio import Waveform


class NemoExtractor(TorchExtractor):
    """A .nemo file of a speaker label model, or the name of one on the hub.

    Features are NeMo's mel bins, normalised over the clip. Rows are what the library calls
    embeddings: in TitaNet and ECAPA-TDNN they leave a linear layer that follows the last batch
    normalisation, in SpeakerNet they leave that normalisation itself.
    """

    model: ClassVar[str]
    default: ClassVar[str]

    def __init__(self, *, weights: str | None, device: torch.device) -> None:
        required = MODELS[self.model].required
        library = required("nemo.collections.asr.models")
        # NeMo tells at length, for each model, how it was trained.
        required("nemo.utils").logging.setLevel(logging.ERROR)
        source = weights or self.default
        loaded = library.EncDecSpeakerLabelModel
        with loading(self.model, source):
            if Path(source).exists():
                model = loaded.restore_from(source, map_location=device)
            else:
                model = loaded.from_pretrained(source, map_location=device)
        self.network = model.eval().to(device)
        self.device = device
        self.feature_layer = model.preprocessor
        self.last_normalisation = [
            layer
            for layer in model.decoder.emb_layers.modules()
            if isinstance(layer, torch.nn.BatchNorm1d)
        ][-1]
        self.dim = self.measured_dim()
        self.identity = {
            "model": self.model,
            "weights": digest(source),
            "library": release("nemo_toolkit"),
        }

    def features(self, clip: Waveform) -> torch.Tensor:
        """Return the waveform (samples,)."""
        return torch.from_numpy(clip).to(self.device)

    def features_made(self, made: Any) -> torch.Tensor:
        """Return the mel bins (bins, frames) without what the preprocessor pads them with."""
        bins, frames = made
        found: torch.Tensor = bins[0, :, : int(frames[0])]
        return found

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of clips of one length."""
        length = torch.full((len(batch),), batch.shape[1], device=self.device)
        _, rows = self.network(input_signal=batch, input_signal_length=length)
        found: torch.Tensor = rows
        return found


class NemoEcapa(NemoExtractor):
    """ECAPA-TDNN."""

    model = "nemo-ecapa"
    default = "ecapa_tdnn"


class NemoSpeakerNet(NemoExtractor):
    """SpeakerNet."""

    model = "nemo-speakernet"
    default = "speakerverification_speakernet"


class NemoTitaNet(NemoExtractor):
    """TitaNet."""

    model = "nemo-titanet"
    default = "titanet_large"


MODELS = {
    kind.model: Model(name=kind.model, library="nemo", extra="extract-nemo", load=kind)
    for kind in (NemoEcapa, NemoSpeakerNet, NemoTitaNet)
}
