"""Sounds of any kind that recordings have, as .wav files."""

import io
from pathlib import Path
from tempfile import NamedTemporaryFile

from evaluation.recordings.audio import (
    SAMPLE_RATE,
    UnreadableError,
    read_audio,
    require_decoders,
)

WAV = ".wav"
# Where a kind's own letters stand, and the extension by which it is read.
_KINDS = (
    (0, b"RIFF", WAV),
    (0, b"fLaC", ".flac"),
    (0, b"OggS", ".ogg"),
    (0, b"ID3", ".mp3"),
    (0, b"\xff\xfb", ".mp3"),
    (0, b"\xff\xf3", ".mp3"),
    (4, b"ftyp", ".m4a"),
)


def as_wav(content: bytes) -> bytes:
    """Return a sound as a .wav file: one as it is, others at 16 kHz, in one channel of 16 bits.

    UnreadableError says what is no sound.
    """
    import soundfile

    kind = next((end for at, word, end in _KINDS if content[at:].startswith(word)), None)
    if kind is None:
        raise UnreadableError(f"is of no kind that is read; it begins with {content[:4]!r}")
    require_decoders([Path(f"clip{kind}")])
    with NamedTemporaryFile(suffix=kind) as file:
        file.write(content)
        file.flush()
        audio = read_audio(Path(file.name))
    if kind == WAV:
        return content
    written = io.BytesIO()
    soundfile.write(written, audio.waveform, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return written.getvalue()
