"""Recordings as the models take them: one channel, 16 kHz, float32 between -1 and 1."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError

if TYPE_CHECKING:
    from av.container import InputContainer

SAMPLE_RATE = 16000
BY_SOUNDFILE = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".sph")
BY_AV = (".m4a", ".aac")
EXTENSIONS = BY_SOUNDFILE + BY_AV

# What PyAV may find in a file: other kinds name further files and addresses, which it would open.
AV_FORMATS = "aac,mov,mp4,m4a,3gp,3g2,mj2"
# Resampling makes a recording of 1 Hz sixteen thousand times as long.
RATES = range(4_000, 768_001)
# Bytes of samples that may come of a byte of a recording, and that may come of any: silence
# packs to nearly nothing. Opus of 6 kbit/s, which is decoded at 48 kHz, gives 256.
TIMES, LEAST = 1000, 1 << 26

Waveform = NDArray[np.float32]


class UnreadableError(Exception):
    """Why a recording gives no waveform."""


@dataclass(frozen=True, kw_only=True)
class Audio:
    """A waveform at SAMPLE_RATE, and how long the recording is."""

    waveform: Waveform
    seconds: float


def require_decoders(paths: Iterable[Path]) -> None:
    """Raise InputError for an extension among the paths whose decoder is not installed."""
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
    if rate not in RATES:
        raise UnreadableError(f"has a rate of {rate} Hz; it must be in {RATES[0]}..{RATES[-1]}")
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

    with soundfile.SoundFile(path) as file:
        # A header that tells less than there is cuts the recording off.
        _refuse_too_long(path, file.frames * file.channels)
        return file.read(dtype="float32", always_2d=True), file.samplerate


def _decode_by_av(path: Path) -> tuple[NDArray[np.float32], int]:
    import av

    blocks: list[NDArray[np.float32]] = []
    # A path may look like an address: concat:a|b, or http:/host/x, and would be opened as one.
    with path.open("rb") as file, _opened_by_av(file) as container:
        if not container.streams.audio:
            raise UnreadableError("no sound in it")
        rate = container.streams.audio[0].codec_context.sample_rate
        planar = av.AudioResampler(format="fltp")
        values = 0
        for frame in container.decode(audio=0):
            for block in planar.resample(frame):
                blocks.append(block.to_ndarray().astype(np.float32))
                values += blocks[-1].size
                _refuse_too_long(path, values)
    if not blocks:
        return np.zeros((0, 1), np.float32), rate
    return np.concatenate(blocks, axis=1).T, rate


def _opened_by_av(file: IO[bytes]) -> "InputContainer":
    import av

    try:
        return av.open(file, "r", options={"format_whitelist": AV_FORMATS})
    except av.error.ArgumentError as error:
        raise UnreadableError(f"it is of a kind that is not read; {AV_FORMATS} are") from error


def _refuse_too_long(path: Path, values: int) -> None:
    size = path.stat().st_size
    most = max(LEAST, TIMES * size)
    if 4 * values > most:
        raise UnreadableError(
            f"{size:,} bytes may hold {most // 4:,} samples at most; it has {values:,}"
        )
