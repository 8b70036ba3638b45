"""WavLM with an x-vector head, of transformers."""

import torch

from evaluation.extractors.library import digest, loading, release
from evaluation.extractors.model import Model
from evaluation.extractors.torch_extractor import TorchExtractor
from evaluation.recordings.audio import SAMPLE_RATE, Waveform

DEFAULT = "microsoft/wavlm-base-plus-sv"


class WavLm(TorchExtractor):
    """Any folder or name that WavLMForXVector loads.

    Features are the waveform as the model's own feature extractor prepares it. Rows are what the
    last, linear layer gives; no vector is normalised.
    """

    def __init__(self, *, weights: str | None, device: torch.device) -> None:
        library = MODEL.required()
        source = weights or DEFAULT
        with loading(MODEL.name, source):
            # Otherwise the library asks on the terminal whether code of the folder may run.
            self._prepare = library.AutoFeatureExtractor.from_pretrained(
                source, trust_remote_code=False
            )
            model = library.WavLMForXVector.from_pretrained(source).eval().to(device)
        self.network = model
        self.device = device
        self.last_layer = model.feature_extractor
        self.dim = self.measured_dim()
        self.identity = {
            "model": MODEL.name,
            "weights": digest(source),
            "library": release("transformers"),
        }

    def features(self, clip: Waveform) -> torch.Tensor:
        """Return the prepared waveform (samples,)."""
        prepared = self._prepare(clip, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        values: torch.Tensor = prepared.input_values
        return values[0].to(self.device)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of clips of one length."""
        rows: torch.Tensor = self.network(batch).embeddings
        return rows


MODEL = Model(
    name="wavlm",
    library="transformers",
    extra="extract-wavlm",
    load=WavLm,
)
