"""ReDimNet, whose source and weights come by torch.hub or from a folder."""

import inspect
import os
from pathlib import Path
from typing import Any

import torch

from evaluation.command.errors import InputError
from evaluation.extractors.library import digest, loading
from evaluation.extractors.model import Model, Option
from evaluation.extractors.torch_extractor import TorchExtractor
from evaluation.recordings.audio import Waveform

REPOSITORY = "IDRnD/ReDimNet"
DEFAULT = "M-vb2+vox2+cnc-ft_mix"
CODE = Option(
    name="code",
    metavar="DIR",
    help="folder of the model's source, for a model that no package has (redimnet)",
    otherwise="comes with its library",
)


class ReDimNet(TorchExtractor):
    """A model of the authors' repository, or of a folder with its source.

    `weights` is a published file, which holds model_config and state_dict, or the name of one
    without extension: size, training data and training, as M-vb2+vox2+cnc-ft_mix, which is nearest
    to the published study's: 5 M parameters, of VoxBlink2 and VoxCeleb2. `code` is a folder with
    the repository's hubconf.py; without it torch.hub fetches the repository, and runs it. Features
    are what the model's own `spec` gives. Where the model has no batch normalisation after its
    last, linear layer, the last of its vectors is the one before it.
    """

    def __init__(
        self, *, weights: str | None, device: torch.device, code: str | None = None
    ) -> None:
        MODEL.required()
        chosen = weights or DEFAULT
        if code is not None and not os.path.isfile(Path(code, "hubconf.py")):
            raise InputError(f"--code must be a folder with hubconf.py; got '{code}'")
        with loading(MODEL.name, chosen):
            model = _built(chosen, code or REPOSITORY, source="github" if code is None else "local")
        self.network = model.eval().to(device)
        self.device = device
        self.feature_layer = model.spec
        self.last_normalisation = model.bn if model.bn2 is None else model.bn2
        self.dim = self.measured_dim()
        self.identity = {"model": MODEL.name, "weights": digest(chosen)}
        if code is not None:
            self.identity["code"] = digest(code)

    def features(self, clip: Waveform) -> torch.Tensor:
        """Return the waveform (samples,)."""
        return torch.from_numpy(clip).to(self.device)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of clips of one length."""
        rows: torch.Tensor = self.network(batch)
        return rows


MODEL = Model(
    name="redimnet",
    library="torchaudio",
    extra="extract-redimnet",
    load=ReDimNet,
    takes=[CODE],
)


def _built(weights: str, code: str, *, source: str) -> Any:
    if not os.path.isfile(weights):
        size, _, rest = weights.partition("-")
        dataset, _, training = rest.rpartition("-")
        named = {"model_name": size, "train_type": training, "dataset": dataset}
        return torch.hub.load(code, "ReDimNet", source=source, trust_repo=True, **named)
    stored = torch.load(weights, map_location="cpu", weights_only=True)
    # The repository's hubconf imports the class, so that torch.hub finds it by this name.
    config = stored["model_config"]
    ours = sorted(set(inspect.signature(torch.hub.load).parameters) & set(config))
    if ours:
        raise ValueError(f"model_config must be of the model; got {', '.join(ours)} of torch.hub")
    model = torch.hub.load(code, "ReDimNetWrap", source=source, trust_repo=True, **config)
    model.load_state_dict(stored["state_dict"])
    return model
