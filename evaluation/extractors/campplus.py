"""CAM++ of 3D-Speaker, by a file of weights."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.extractors.campplus_network import BINS, CamPlusPlusNetwork
from evaluation.extractors.extractor import FILTER_BANKS
from evaluation.extractors.library import digest, existing
from evaluation.extractors.model import Model
from evaluation.extractors.torch_extractor import TorchExtractor
from evaluation.recordings.audio import SAMPLE_RATE, Waveform

# Names of the last layer in a state dict, whose shape says how many values a vector has.
LAST_WEIGHT = "xvector.dense.linear.weight"
# Samples of one analysis window, 25 ms; the TDNN's statistics need three.
SHORTEST = SAMPLE_RATE * 45 // 1000


class CamPlusPlus(TorchExtractor):
    """The state dict that 3D-Speaker publishes; rows are what its last batch normalisation gives.

    Features are Kaldi's: 80 log mel bins of 25 ms every 10 ms, without dither, less their mean
    over the clip.
    """

    def __init__(self, *, weights: str | None, device: torch.device) -> None:
        path = existing(MODEL.name, weights)
        self._fbank = MODEL.required()
        state = _read(path)
        self.dim = int(state[LAST_WEIGHT].shape[0])
        try:
            network = CamPlusPlusNetwork(self.dim)
            network.load_state_dict(state)
        except RuntimeError as error:
            raise InputError(f"campplus: {path} is of another network ({error})") from error
        self.device = device
        self.network = network.eval().to(device)
        self.last_normalisation = network.last_normalisation
        self.identity = {"model": MODEL.name, "weights": digest(path)}

    def filter_banks(self, clip: Waveform) -> NDArray[np.float32]:
        """Return the filter banks (frames, BINS), before their mean is subtracted."""
        if len(clip) < SHORTEST:
            raise ValueError(f"must have {SHORTEST} samples at least; got {len(clip)}")
        options = self._fbank.FbankOptions()
        options.frame_opts.samp_freq = SAMPLE_RATE
        options.frame_opts.dither = 0
        options.mel_opts.num_bins = BINS
        banks = self._fbank.OnlineFbank(options)
        banks.accept_waveform(SAMPLE_RATE, clip.tolist())
        banks.input_finished()
        return np.stack([banks.get_frame(place) for place in range(banks.num_frames_ready)])

    def features(self, clip: Waveform) -> torch.Tensor:
        """Return the filter banks (frames, BINS) less their mean over the clip."""
        frames = self.filter_banks(clip)
        return torch.from_numpy(frames - frames.mean(axis=0)).to(self.device)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the embeddings of clips of one length."""
        rows: torch.Tensor = self.network(batch)
        return rows

    def stages(self, clip: Waveform) -> dict[str, NDArray[np.float32]]:
        """Return the stages of one clip; see `StagedExtractor`."""
        return {FILTER_BANKS: self.filter_banks(clip)} | super().stages(clip)


MODEL = Model(
    name="campplus",
    library="kaldi_native_fbank",
    extra="extract-campplus",
    load=CamPlusPlus,
)


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        state: dict[str, torch.Tensor] = torch.load(
            str(path), map_location="cpu", weights_only=True
        )
    # torch raises errors of many kinds for files that are not its own.
    except Exception as error:
        # What torch says after its first sentence is how to run what is in a file.
        why = str(error).partition(". ")[0] or type(error).__name__
        raise InputError(f"campplus: {path} is no file of torch weights ({why})") from error
    last = state.get(LAST_WEIGHT) if isinstance(state, dict) else None
    if not isinstance(last, torch.Tensor) or not last.ndim:
        raise InputError(f"campplus: {path} holds no CAM++ ({LAST_WEIGHT} missing)")
    return state
