"""A model of one's own: a function, named as module:function."""

import hashlib
import importlib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.recordings.audio import SAMPLE_RATE, Waveform


class Custom:
    """The function takes a list of waveforms and returns an array (waveforms, dim) of floats.

    It is called once at the start, with a second of noise, to learn `dim`. Its identity is its
    name and the source file that it stands in.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._function = _find(name)
        noise = np.random.default_rng(0).uniform(-0.1, 0.1, SAMPLE_RATE).astype(np.float32)
        self.dim = int(self._call([noise]).shape[1])
        source = Path(inspect.getsourcefile(inspect.unwrap(self._function)) or "").read_bytes()
        self.identity = {"model": name, "source": hashlib.sha256(source).hexdigest()}

    def embed(self, clips: Sequence[Waveform]) -> NDArray[np.float32]:
        """Return what the function makes of the clips, as float32."""
        rows = self._call(clips)
        if rows.shape[1] != self.dim:
            raise InputError(f"{self._name} must give rows of {self.dim} values; got {rows.shape}")
        return rows

    def _call(self, clips: Sequence[Waveform]) -> NDArray[np.float32]:
        rows = np.asarray(self._function(list(clips)))
        if rows.ndim != 2 or len(rows) != len(clips) or rows.dtype.kind != "f" or not rows.size:
            raise InputError(
                f"{self._name} must return floats of shape ({len(clips)}, dim) for {len(clips)} "
                f"waveforms; got {rows.dtype} of shape {rows.shape}"
            )
        return rows.astype(np.float32)


def _find(name: str) -> Callable[[list[Waveform]], object]:
    module_name, _, function_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"--model {name}: no module {error.name}; run where it can be imported, or set "
            "PYTHONPATH"
        ) from error
    function: Callable[[list[Waveform]], object] | None = getattr(module, function_name, None)
    if not inspect.isfunction(function):
        place = getattr(module, "__file__", None) or module_name
        raise InputError(f"--model {name}: no Python function {function_name} in {place}")
    return function
