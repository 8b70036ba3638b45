"""ECAPA-TDNN of SpeechBrain."""

from pathlib import Path

import torch

from evaluation.extractors.library import digest, loading, release
from evaluation.extractors.model import Model
from evaluation.extractors.torch_extractor import TorchExtractor
from evaluation.recordings.audio import Waveform

DEFAULT = "speechbrain/spkrec-ecapa-voxceleb"


class SpeechBrainEcapa(TorchExtractor):
    """Any folder or name that SpeechBrain's EncoderClassifier loads.

    Such a folder holds hyperparams.yaml, which SpeechBrain lets name any Python class: load only
    what you trust. Features are the model's filter banks less their mean over the clip; rows are
    what its last, linear layer gives.
    """

    def __init__(self, *, weights: str | None, device: torch.device) -> None:
        library = MODEL.required("speechbrain.inference.classifiers")
        source = weights or DEFAULT
        # A folder that was copied from a hub still names the hub as the place of its weights.
        local = {"pretrained_path": source} if Path(source).is_dir() else {}
        with loading(MODEL.name, source):
            self._model = library.EncoderClassifier.from_hparams(
                source=source,
                overrides=local,
                overrides_must_match=False,
                run_opts={"device": str(device)},
            ).eval()
        self.device = device
        self.last_normalisation = self._model.mods.embedding_model.asp_bn
        self.dim = self.measured_dim()
        self.identity = {
            "model": MODEL.name,
            "weights": digest(source),
            "library": release("speechbrain"),
        }

    def features(self, clip: Waveform) -> torch.Tensor:
        """Return the normalised filter banks (frames, bins)."""
        modules, whole = self._model.mods, torch.ones(1, device=self.device)
        banks = modules.compute_features(torch.from_numpy(clip)[None].to(self.device))
        features: torch.Tensor = modules.mean_var_norm(banks, whole)
        return features[0]

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of clips of one length."""
        rows: torch.Tensor = self._model.mods.embedding_model(batch)
        return rows[:, 0]


MODEL = Model(
    name="speechbrain-ecapa",
    library="speechbrain",
    extra="extract-speechbrain",
    load=SpeechBrainEcapa,
)
