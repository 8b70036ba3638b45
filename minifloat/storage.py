"""Files of packed vectors: safetensors, written in one step and read by memory mapping."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from minifloat.formats import Format, as_format

VERSION = "1"


def save(path: str | Path, codes: Tensor, norms: Tensor, format: Format, dim: int) -> None:
    """Write a file beside `path`, then move it there, so that no half file is ever seen."""
    tensors = {"codes": codes.cpu().contiguous(), "reciprocal_norms": norms.cpu().contiguous()}
    metadata = {"format": format.name, "dim": str(dim), "version": VERSION}
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {target.parent}")
    temporary = target.with_name(f".{target.name}.{uuid4().hex}.tmp")
    try:
        save_file(tensors, temporary, metadata)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | Path) -> tuple[Tensor, Tensor, Format, int]:
    """Return the codes, the reciprocal norms, the format and the dim of a file."""
    try:
        file = safetensors.safe_open(path, framework="pt")
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file: {error}") from error
    with file:
        metadata = file.metadata() or {}
        missing = [key for key in ("format", "dim", "version") if key not in metadata]
        missing += sorted({"codes", "reciprocal_norms"} - set(file.keys()))
        if missing:
            raise ValueError(f"{path} holds no packed vectors: it lacks {', '.join(missing)}")
        if metadata["version"] != VERSION:
            raise ValueError(f"{path} has version {metadata['version']!r}; this reads {VERSION!r}")
        if not metadata["dim"].isdecimal() or int(metadata["dim"]) < 1:
            raise ValueError(f"{path} has dim {metadata['dim']!r}; it must be a number above 0")
        try:
            format, dim = as_format(metadata["format"]), int(metadata["dim"])
        except ValueError as error:
            raise ValueError(f"{path} cannot be read: {error}") from error
        codes, norms = file.get_tensor("codes"), file.get_tensor("reciprocal_norms")
    shapes = (codes.shape, norms.shape)
    if shapes != ((*codes.shape[:1], format.row_bytes(dim)), codes.shape[:1]):
        raise ValueError(
            f"{path} must have codes of {format.row_bytes(dim)} bytes a row for dim {dim} in "
            f"{format}, and a reciprocal norm for each; got shapes {tuple(map(tuple, shapes))}"
        )
    if (codes.dtype, norms.dtype) != (torch.uint8, torch.float32):
        raise ValueError(f"{path} must hold U8 and F32; got {codes.dtype} and {norms.dtype}")
    return codes, norms, format, dim
