"""Extraction from files to a file: find recordings, embed them batch by batch, keep each batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluation.command.errors import InputError
from evaluation.embeddings.extracted import (
    Entry,
    Extracted,
    manifest_path,
    read_extracted,
    refuse_other_extension,
)
from evaluation.extraction.embedding import Failed, embed, read_ahead
from evaluation.extraction.journal import Journal, folder_of, refuse_other_model
from evaluation.extraction.progress import Progress
from evaluation.extraction.seals import seal_path, write_seal
from evaluation.extraction.shards import Shard
from evaluation.extraction.skipped import report_skipped
from evaluation.extractors import Extractor, load_extractor
from evaluation.extractors.options import ChosenModel
from evaluation.files.writing import make_folder
from evaluation.recordings.audio import require_decoders
from evaluation.recordings.found import Recording, Skipped
from evaluation.recordings.recordings import find_recordings

# So many recordings on which the model fails in a row tell of a broken device or model.
FAILURES_IN_A_ROW = 100


@dataclass(frozen=True, kw_only=True)
class ExtractionOptions:
    """What the command line asks for; without a `shard` all recordings."""

    model: ChosenModel
    data: Path
    layout: str
    out: Path
    batch: int
    shard: Shard | None = None


def run(options: ExtractionOptions) -> None:
    """Write the output, its manifest and the list of what was skipped.

    What a former run with the same output has done is not done again; what it skipped is tried
    again, for a file may have been mended since. A shard has an output of its own.
    """
    refuse_other_extension(options.out)
    if options.batch < 1:
        raise InputError(f"--batch must be at least 1; got {options.batch}")
    found = find_recordings(options.data, layout=options.layout)
    require_decoders(recording.path for recording in found.recordings)
    make_folder(options.out.parent)
    chosen = options.model
    extractor = load_extractor(
        chosen.name, weights=chosen.weights, device=chosen.device, **chosen.own
    )
    shard = options.shard
    if shard is None:
        failed = _write(options, found.recordings, extractor)
        report_skipped(options.out, [*found.skipped, *failed])
    elif _is_complete(options.out, found.recordings, extractor):
        # Shards were merged, and may be gone.
        _say_complete(options.out, found.recordings)
    else:
        own = replace(options, out=shard.path_of(options.out))
        part = shard.part(found.recordings, batch=options.batch)
        failed = _write(own, part, extractor, before=_of_part(options.out, part))
        # What is no recording at all is told once.
        report_skipped(own.out, [*(found.skipped if shard.number == 1 else []), *failed])
        write_seal(own.out, shard, found.recordings, batch=options.batch, failed=len(failed))


def _of_part(out: Path, part: Sequence[Recording]) -> Extracted | None:
    """Return the rows of a part that shards were merged to before, if they were."""
    if not out.exists():
        return None
    merged = read_extracted(out, mapped=True)
    names = {(recording.speaker, recording.utterance) for recording in part}
    places = [
        place
        for place, entry in enumerate(merged.entries)
        if (entry.speaker, entry.utterance) in names
    ]
    entries = [merged.entries[place] for place in places]
    return Extracted(rows=merged.rows[places], entries=entries, model=merged.model)


def _write(
    options: ExtractionOptions,
    recordings: Sequence[Recording],
    extractor: Extractor,
    *,
    before: Extracted | None = None,
) -> list[Skipped]:
    """Write the output and its manifest; return which recordings failed."""
    if _is_complete(options.out, recordings, extractor):
        _say_complete(options.out, recordings)
        return []
    if options.shard is not None:
        seal_path(options.out).unlink(missing_ok=True)
    identity, dim = extractor.identity, extractor.dim
    with Journal(options.out, model=identity, dim=dim, before=before) as journal:
        failed = _extract(recordings, extractor, journal, options)
        # Of a shard there may be no row, and yet some of all.
        if not journal.entries and options.shard is None:
            raise InputError(
                f"{options.data}: none of {len(recordings)} recordings gave a row; "
                f"{failed[0].name} {failed[0].reason}"
            )
        journal.finish()
        rows = len(journal.entries)
    manifest = manifest_path(options.out).name
    print(f"wrote {options.out}, {rows} rows of {extractor.dim} values, and {manifest}")
    return failed


def _say_complete(out: Path, recordings: Sequence[Recording]) -> None:
    print(f"{out} has all {len(recordings)} recordings already")


def _is_complete(out: Path, recordings: Sequence[Recording], extractor: Extractor) -> bool:
    if folder_of(out).exists() or not out.exists():
        return False
    before = read_extracted(out, mapped=True)
    refuse_other_model(out, found=before.model, asked=extractor.identity)
    return not _pending(out, recordings, before.entries)


def _pending(
    out: Path, recordings: Sequence[Recording], entries: Sequence[Entry]
) -> list[Recording]:
    """The recordings without an entry; an entry without its recording is an error."""
    sizes = {(r.speaker, r.utterance, r.name): r.size for r in recordings}
    done = {(e.speaker, e.utterance, e.path): e.bytes for e in entries}
    strange = [key for key, size in done.items() if sizes.get(key) != size]
    if strange:
        raise InputError(
            f"{out}: holds {len(strange)} recordings that --data does not have, or not as they "
            f"were, first {strange[0][2]}: give the former --data or another --out"
        )
    return [r for r in recordings if (r.speaker, r.utterance, r.name) not in done]


def _extract(
    recordings: Sequence[Recording],
    extractor: Extractor,
    journal: Journal,
    options: ExtractionOptions,
) -> list[Skipped]:
    """Return what was skipped; the journal has the rest."""
    pending = _pending(options.out, recordings, journal.entries)
    skipped: list[Skipped] = []
    failures = 0
    done = len(recordings) - len(pending)
    if done:
        print(f"{options.out} has {done} of {len(recordings)} recordings already")
    with Progress(total=len(recordings), done=done) as progress:
        for batch in read_ahead(_batches(recordings, pending, options.batch)):
            rows, entries = [], []
            for recording, outcome in embed(extractor, batch):
                if isinstance(outcome, Failed):
                    skipped.append(Skipped(name=recording.name, reason=outcome.reason))
                    failures += outcome.by_model
                else:
                    rows.append(outcome.row)
                    entries.append(_entry(recording, outcome.seconds))
                    failures = 0
            if rows:
                journal.append(np.stack(rows), entries)
            if failures >= FAILURES_IN_A_ROW:
                raise InputError(
                    f"the model failed on {failures} recordings in a row, the last, "
                    f"{skipped[-1].name}, {skipped[-1].reason}; what was done before is kept"
                )
            progress.advance(len(batch))
    return skipped


def _batches(
    recordings: Sequence[Recording], pending: Sequence[Recording], size: int
) -> list[list[Recording]]:
    """What is pending, cut where the batches of an uninterrupted run end: the same rows result."""
    wanted = set(pending)
    batches = (recordings[start : start + size] for start in range(0, len(recordings), size))
    left = ([recording for recording in batch if recording in wanted] for batch in batches)
    return [batch for batch in left if batch]


def _entry(recording: Recording, seconds: float) -> Entry:
    return Entry(
        speaker=recording.speaker,
        utterance=recording.utterance,
        path=recording.name,
        seconds=round(seconds, 3),
        bytes=recording.size,
    )
