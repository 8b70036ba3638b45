"""Files of packed vectors: safetensors, written in one step and read by memory mapping."""

from __future__ import annotations

import json
import mmap
import sys
from pathlib import Path
from uuid import uuid4

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from minifloat.formats import Format, as_format

VERSION = "1"

# MAP_NORESERVE, which Python 3.11 has no name for: the mapping may be larger than the memory.
_NO_RESERVE = 0x4000 if sys.platform == "linux" else 0


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
        file = safetensors.safe_open(path, framework="np")
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
        codes, norms = file.get_slice("codes"), file.get_slice("reciprocal_norms")
        shape, norms_shape = tuple(codes.get_shape()), tuple(norms.get_shape())
        dtypes = (codes.get_dtype(), norms.get_dtype())
    if (shape, norms_shape) != ((*shape[:1], format.row_bytes(dim)), shape[:1]):
        raise ValueError(
            f"{path} must have codes of {format.row_bytes(dim)} bytes a row for dim {dim} in "
            f"{format}, and a reciprocal norm for each; got shapes {shape, norms_shape}"
        )
    if dtypes != ("U8", "F32"):
        raise ValueError(f"{path} must hold U8 and F32; got {' and '.join(dtypes)}")
    mapped = _map(path)
    floats = mapped["reciprocal_norms"]
    # Other writers may put them anywhere.
    aligned = floats.clone() if floats.data_ptr() % 4 else floats
    return mapped["codes"].view(shape), aligned.view(torch.float32), format, dim


def _map(path: str | Path) -> dict[str, Tensor]:
    """Return the bytes of a valid file's tensors, mapped: changes of them do not reach the file.

    The library's own mapping is refused where it is larger than the memory.
    """
    with open(path, "rb") as file:
        start = 8 + (length := int.from_bytes(file.read(8), "little"))
        header = json.loads(file.read(length))
        flags, access = mmap.MAP_PRIVATE | _NO_RESERVE, mmap.PROT_READ | mmap.PROT_WRITE
        whole = torch.frombuffer(mmap.mmap(file.fileno(), 0, flags, access), dtype=torch.uint8)
    del header["__metadata__"]
    tensors = {name: tensor["data_offsets"] for name, tensor in header.items()}
    return {name: whole[start + begin : start + end] for name, (begin, end) in tensors.items()}
