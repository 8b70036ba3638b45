"""Answers on CUDA tensors, by the CUDA kernels.

Work is put into the current stream and not waited for, so values are not looked at: pairs and
ranges must be right, and where fewer than k rows take part in a search, the rest of an answer is
row -1 with score NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from minifloat import _cuda
from minifloat.answers import Answer, Reached
from minifloat.backends import preparing, projecting
from minifloat.backends.addresses import FORMAT, SOURCE, best_of, selection_of, shape, sides_of
from minifloat.backends.parts import in_parts, reached_in_parts
from minifloat.backends.preparing import InLane, chunks
from minifloat.backends.projecting import Projected
from minifloat.backends.quantizing import quantizing, quantizing_in_frame
from minifloat.backends.reaching import Hits, appending, reaching
from minifloat.backends.rounding import rounding
from minifloat.backends.turned import turned
from minifloat.ops.products import Above, AllScores, Best, PairScores, contiguous

# Rows that one search takes, for a number of 32 bits is part of what orders them.
_MOST_ROWS = _cuda.MOST_ROWS


def encode(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
    f, source, x = FORMAT[format], SOURCE[x.dtype], x.contiguous()
    _cuda.encode(f, source, saturate, x.data_ptr(), x.numel(), out.data_ptr(), _stream(x))


def decode(codes: Tensor, format: str, out: Tensor) -> None:
    f, codes = FORMAT[format], codes.contiguous()
    _cuda.decode(f, codes.data_ptr(), codes.numel(), out.data_ptr(), _stream(codes))


round = rounding(encode, decode)


def pack(codes: Tensor, format: str, out: Tensor) -> None:
    f, codes = FORMAT[format], codes.contiguous()
    _cuda.pack(f, codes.data_ptr(), *shape(codes), out.data_ptr(), _stream(codes))


def unpack(packed: Tensor, format: str, dim: int, out: Tensor) -> None:
    f, packed = FORMAT[format], packed.contiguous()
    _cuda.unpack(f, packed.data_ptr(), *shape(out), out.data_ptr(), _stream(packed))


def encode_pack(x: Tensor, format: str, saturate: bool, out: Tensor) -> None:
    f, source, x = FORMAT[format], SOURCE[x.dtype], x.contiguous()
    _cuda.encode_pack(f, source, saturate, x.data_ptr(), *shape(x), out.data_ptr(), _stream(x))


def reciprocal_norms(packed: Tensor, format: str, dim: int, out: Tensor) -> None:
    f, packed = FORMAT[format], packed.contiguous()
    _cuda.reciprocal_norms(f, packed.data_ptr(), out.numel(), dim, out.data_ptr(), _stream(packed))


def to_lane(x: Tensor, format: str, out: InLane) -> None:
    if not _cuda.ways().prepares_at_once:
        return preparing.to_lane(x, format, out)
    _to_lane(x, format, None, out)


def project(x: Tensor, frame: Sequence[Tensor], out: Projected) -> None:
    if not _cuda.ways().prepares_at_once:
        return projecting.project(x, frame, out)
    x, parts = _each_in_one_piece(x), [part.contiguous() for part in frame]
    (axes, dim), (rounds, _), *_ = [part.shape for part in parts]
    at_axes, at_signs, at_order, _ = [part.data_ptr() for part in parts]
    rows, to_frame = _values(x), _cuda.Frame(dim, at_axes, axes, at_signs, rounds, at_order)
    workspace = _workspace(_cuda.project_workspace(rows, to_frame), x)
    to = _cuda.Projected(*[whole.data_ptr() for whole in out])
    _cuda.project(rows, to_frame, _memory(workspace), to, _stream(x))


def to_lane_in_frame(x: Tensor, frame: Sequence[Tensor], format: str, out: Projected) -> None:
    if not _cuda.ways().prepares_at_once:
        return preparing.to_lane_in_frame(x, frame, format, out)
    elements, norms, coordinates = out
    for some in chunks(x):
        rest = torch.empty(x[some].shape, dtype=torch.float32, device=x.device)
        lengths = torch.empty_like(norms[some])
        project(x[some], frame, (rest, coordinates[some], lengths))
        _to_lane(rest, format, lengths, (elements[some], norms[some]))


def _to_lane(x: Tensor, format: str, lengths: Tensor | None, out: InLane) -> None:
    """Bring rows into a lane; norms are multiplied by lengths where there are any."""
    x, (elements, norms) = _each_in_one_piece(x), out
    by = 0 if lengths is None else lengths.data_ptr()
    to = elements.data_ptr(), norms.data_ptr()
    _cuda.to_lane(FORMAT[format], _values(x), by, *to, _stream(x))


def _each_in_one_piece(x: Tensor) -> Tensor:
    return x if x.stride(1) == 1 else x.contiguous()


def _values(x: Tensor) -> _cuda.ValueRows:
    """Return rows, each in one piece, as the kernels take them."""
    return _cuda.ValueRows(SOURCE[x.dtype], x.data_ptr(), x.stride(0), *x.shape)


quantize = quantizing(encode, decode, encode_pack, reciprocal_norms)
quantize_in_frame = quantizing_in_frame(project, quantize)
angles = turned(unpack, decode)


def all_scores(asked: AllScores, out: Tensor) -> None:
    # What is made contiguous must be there until the work is done.
    contiguous_sides = asked.sides.contiguous()
    sides = sides_of(_cuda, contiguous_sides)
    workspace = _workspace(_cuda.scores_workspace(sides), out)
    _cuda.scores(sides, _memory(workspace), out.data_ptr(), _stream(out))


def above(asked: Above) -> Reached:
    if not _cuda.ways().appends_hits:
        return _above_in_blocks(asked)
    return reached_in_parts(_above, _MOST_ROWS, asked)


def _append(asked: Above, hits: Hits) -> None:
    """Find what reaches thresholds of as many rows as one search takes."""
    asked, thresholds = contiguous(asked), asked.thresholds.contiguous()
    sides, selection = sides_of(_cuda, asked.sides), selection_of(_cuda, asked.selection)
    keys, scores, total = hits
    workspace = _workspace(_cuda.above_workspace(sides), keys)
    to = _cuda.Hits(keys.data_ptr(), scores.data_ptr(), len(keys), total.data_ptr())
    of_rows = sides, selection, thresholds.data_ptr()
    _cuda.above(*of_rows, _memory(workspace), to, _stream(keys))


_above, _above_in_blocks = appending(_append), reaching(all_scores)


def pair_scores(asked: PairScores, out: Tensor) -> None:
    rows, pairs = asked.sides.contiguous(), asked.pairs.contiguous()
    sides = sides_of(_cuda, rows)
    _cuda.pair_scores(sides, pairs.data_ptr(), len(pairs), out.data_ptr(), _stream(out))


def best(asked: Best, out: Answer) -> None:
    in_parts(_best, _MOST_ROWS, asked, out)


def _best(asked: Best, out: Answer) -> None:
    """Find the best of as many rows as one search takes."""
    asked, (scores, rows) = contiguous(asked), out
    search = best_of(_cuda, asked)
    workspace = _workspace(_cuda.best_workspace(search), rows)
    where = scores.data_ptr(), rows.data_ptr()
    _cuda.best(search, _memory(workspace), *where, _stream(rows))


def _workspace(bytes: int, on: Tensor) -> Tensor:
    """Return memory of a tensor's device, which its stream keeps until the work is done."""
    return torch.empty(bytes, dtype=torch.uint8, device=on.device)


def _memory(workspace: Tensor) -> _cuda.Memory:
    return _cuda.Memory(workspace.data_ptr(), workspace.nbytes)


def _stream(on: Tensor) -> int:
    """Return the current stream of a tensor's device, which is the current one."""
    return torch.cuda.current_stream().cuda_stream if on.is_cuda else 0
