"""ECAPA-TDNN of SpeechBrain."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.extractors.extractor import FILTER_BANKS
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
        network = self._model.mods.embedding_model
        self.network, self.last_normalisation = network, network.asp_bn
        self.dim = self.measured_dim()
        self.identity = {
            "model": MODEL.name,
            "weights": digest(source),
            "library": release("speechbrain"),
        }

    def features(self, clip: Waveform) -> torch.Tensor:
        """Return the normalised filter banks (frames, bins)."""
        whole = torch.ones(1, device=self.device)
        features: torch.Tensor = self._model.mods.mean_var_norm(self._filter_banks(clip), whole)
        return features[0]

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of clips of one length."""
        rows: torch.Tensor = self.network(batch)
        return rows[:, 0]

    def stages(self, clip: Waveform) -> dict[str, NDArray[np.float32]]:
        """Return the stages of one clip; see `StagedExtractor`."""
        with torch.inference_mode():
            banks = self._filter_banks(clip)[0].float().cpu().numpy()
        return {FILTER_BANKS: banks} | super().stages(clip)

    def _filter_banks(self, clip: Waveform) -> torch.Tensor:
        """The filter banks (1, frames, bins), before their mean is subtracted."""
        waveform = torch.from_numpy(clip)[None].to(self.device)
        banks: torch.Tensor = self._model.mods.compute_features(waveform)
        return banks


MODEL = Model(
    name="speechbrain-ecapa",
    library="speechbrain",
    extra="extract-speechbrain",
    load=SpeechBrainEcapa,
)
