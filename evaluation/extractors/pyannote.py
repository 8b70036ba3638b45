"""The x-vector of pyannote.audio, made of waveforms by SincNet and a TDNN."""

import torch

from evaluation.extractors.library import digest, loading, release
from evaluation.extractors.model import Model
from evaluation.extractors.torch_extractor import TorchExtractor
from evaluation.recordings.audio import Waveform

DEFAULT = "pyannote/embedding"


class PyannoteEmbedding(TorchExtractor):
    """Any checkpoint of an embedding model that pyannote.audio loads, or its name on the hub.

    On the hub the model asks for its conditions to be accepted and for a token in HF_TOKEN.
    Features are the waveform itself. Rows are what the last, linear layer gives; vectors are
    normalised nowhere.
    """

    def __init__(self, *, weights: str | None, device: torch.device) -> None:
        library = MODEL.required()
        source = weights or DEFAULT
        with loading(MODEL.name, source):
            model = library.Model.from_pretrained(source)
        self.network = model.eval().to(device)
        self.device = device
        self.last_layer = model.embedding
        self.dim = self.measured_dim()
        self.identity = {
            "model": MODEL.name,
            "weights": digest(source),
            "library": release("pyannote.audio"),
        }

    def features(self, clip: Waveform) -> torch.Tensor:
        """Return the waveform (1, samples)."""
        return torch.from_numpy(clip)[None].to(self.device)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of clips of one length."""
        rows: torch.Tensor = self.network(batch)
        return rows


MODEL = Model(
    name="pyannote",
    library="pyannote.audio",
    extra="extract-pyannote",
    load=PyannoteEmbedding,
)
