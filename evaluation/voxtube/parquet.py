"""Clips in Parquet shards, as hubs of data sets keep them: sounds lie in the column itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.command.errors import InputError
from evaluation.command.packages import require
from evaluation.files.reading import opened, reading
from evaluation.recordings.audio import UnreadableError
from evaluation.voxtube.clips import Columns, Label, Sound, Wanted, label_of

PARQUET = ".parquet"
INSTALL = 'pip install "minifloat[voxtube]"'
# Clips that are in memory at a time.
ROWS = 16


@dataclass(frozen=True, kw_only=True)
class ParquetClips:
    """The clips of shards, one after the other."""

    shards: Sequence[Path]
    columns: Columns

    def labels(self) -> Iterator[Label]:
        """Yield the label of every clip, in order."""
        for shard in self.shards:
            with _opened(shard, self.columns) as file:
                for group in range(file.num_row_groups):
                    yield from self._labels(shard, file, group)

    def sounds(self, wanted: Wanted) -> Iterator[tuple[Label, Sound]]:
        """Yield the clips that are wanted; groups of rows without one are passed over."""
        for shard in self.shards:
            with _opened(shard, self.columns) as file:
                for group in range(file.num_row_groups):
                    labels = [*self._labels(shard, file, group)]
                    if not any(map(wanted, labels)):
                        continue
                    values = _values(shard, file, group, [self.columns.audio])
                    for label, (value,) in zip(labels, values, strict=True):
                        if wanted(label):
                            yield label, partial(_sound, value)

    def _labels(self, shard: Path, file: Any, group: int) -> Iterator[Label]:
        names = [self.columns.speaker, self.columns.language]
        before = sum(file.metadata.row_group(one).num_rows for one in range(group))
        for row, values in enumerate(_values(shard, file, group, names), start=before):
            place = f"{shard.name}, row {row}"
            yield label_of(f"{shard}: row {row}", place, self.columns, *values)


def _opened(shard: Path, columns: Columns) -> Any:
    """Return a shard, which is closed at the end of a block."""
    pyarrow = require("pyarrow", needs="Parquet files need", install=INSTALL)
    parquet = require("pyarrow.parquet", needs="Parquet files need", install=INSTALL)
    opened(shard).close()
    with reading(shard, "Parquet file", pyarrow.ArrowException):
        file = parquet.ParquetFile(shard)
    there = file.schema_arrow.names
    missing = [name for name in vars(columns).values() if name not in there]
    if missing:
        raise InputError(
            f"{shard}: must have the columns {', '.join(vars(columns).values())}; "
            f"{' and '.join(missing)} missing, found {', '.join(there)}: options name others"
        )
    return file


def _values(shard: Path, file: Any, group: int, names: Sequence[str]) -> Iterator[Sequence[Any]]:
    """Yield the values of columns, row by row."""
    pyarrow = require("pyarrow", needs="Parquet files need", install=INSTALL)
    with reading(shard, "Parquet file", pyarrow.ArrowException):
        for batch in file.iter_batches(ROWS, row_groups=[group], columns=[*names]):
            for row in range(batch.num_rows):
                yield [batch.column(name)[row].as_py() for name in names]


def _sound(value: Any) -> bytes:
    content = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(content, bytes):
        raise UnreadableError("has no sound in its shard")
    return content
