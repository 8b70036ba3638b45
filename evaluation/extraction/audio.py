"""Recordings as the models take them: one channel, 16 kHz, float32 between -1 and 1."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError

SAMPLE_RATE = 16000
BY_SOUNDFILE = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".sph")
BY_AV = (".m4a", ".aac")
EXTENSIONS = BY_SOUNDFILE + BY_AV

Waveform = NDArray[np.float32]


class UnreadableError(Exception):
    """Why a recording gives no waveform."""


@dataclass(frozen=True, kw_only=True)
class Audio:
    """A waveform at SAMPLE_RATE, and how long the recording is."""

    waveform: Waveform
    seconds: float


def require_decoders(paths: Iterable[Path]) -> None:
    """Nothing; an extension among the paths whose decoder is not installed is an error."""
    wanted = {path.suffix.lower() for path in paths} & set(BY_AV)
    if wanted:
        try:
            importlib.import_module("av")
        except ModuleNotFoundError as error:
            raise InputError(
                f"{', '.join(sorted(wanted))} files need PyAV, which is not installed; "
                'pip install "minifloat[extract-m4a]", or convert them to flac'
            ) from error


def read_audio(path: Path) -> Audio:
    """Return a recording, its channels averaged, resampled where its rate is another."""
    # soxr and the decoders are imported late: the studies run without them.
    import soxr

    try:
        decode = _decode_by_av if path.suffix.lower() in BY_AV else _decode_by_soundfile
        samples, rate = decode(path)
    # Decoders raise errors of many kinds for a file that is damaged.
    except Exception as error:
        raise UnreadableError(f"cannot be decoded: {error}") from error
    if not len(samples):
        raise UnreadableError("holds no samples")
    if not np.isfinite(samples).all():
        raise UnreadableError("holds samples that are not finite")
    mono = samples.mean(axis=1)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE)
    return Audio(waveform=mono, seconds=len(samples) / rate)


def _decode_by_soundfile(path: Path) -> tuple[NDArray[np.float32], int]:
    import soundfile

    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples, rate


def _decode_by_av(path: Path) -> tuple[NDArray[np.float32], int]:
    import av

    with av.open(str(path)) as container:
        if not container.streams.audio:
            raise UnreadableError("no sound in it")
        rate = container.streams.audio[0].codec_context.sample_rate
        planar = av.AudioResampler(format="fltp")
        blocks = [
            block.to_ndarray().astype(np.float32)
            for frame in container.decode(audio=0)
            for block in planar.resample(frame)
        ]
    if not blocks:
        return np.zeros((0, 1), np.float32), rate
    return np.concatenate(blocks, axis=1).T, rate
