"""The range probe from a model to files: probe, print, write."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import minifloat as mf
from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.embeddings.npz import UTTERANCE
from evaluation.extractors import Extractor, load_extractor
from evaluation.extractors.extractor import EMBEDDING
from evaluation.extractors.options import ChosenModel
from evaluation.files.writing import make_folder, write_whole, written_whole
from evaluation.probe.architecture import architecture
from evaluation.probe.batch_norm import before_batch_norm
from evaluation.probe.fits import fits
from evaluation.probe.hypothesis import FORMAT, tested
from evaluation.probe.ranges import SIGNALS, Probed, RefusedError, Signal, probed
from evaluation.probe.report import Findings, report
from evaluation.probe.tables import architecture_table, fit_table, range_table
from evaluation.recordings.audio import UnreadableError, Waveform, read_audio, require_decoders
from evaluation.recordings.recordings import find_recordings

# Clips that are probed, at most.
CLIPS = 100


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """What the command line asks for."""

    model: ChosenModel
    signal: str
    clips: Path | None
    embeddings: Path | None
    utt2spk: Path | None
    out: Path
    command: str


def run(options: ProbeOptions) -> None:
    """Print the verdicts, and write tables and report.html."""
    # All input is read before any of it is studied: an error in it costs no waiting.
    embeddings = (
        None
        if options.embeddings is None
        else load_embeddings(options.embeddings, utt2spk=options.utt2spk)
    )
    make_folder(options.out)
    chosen = options.model
    extractor = load_extractor(
        chosen.name, weights=chosen.weights, device=chosen.device, **chosen.own
    )
    found = _findings(extractor, options)
    for line in (*found.left_out, *found.verdicts, found.hypothesis[-1]):
        print(line)
    for table in found.tables:
        write_whole(options.out / f"{table.slug}.csv", table.csv())
    page = report(chosen.name, found, command=options.command, identity=extractor.identity)
    write_whole(options.out / "report.html", page)
    print(f"wrote ranges.csv, fits.csv, architecture.csv and report.html to {options.out}")
    if embeddings is not None:
        path = options.out / f"{embeddings.name}-before-normalisation.npz"
        _write_before(path, extractor, embeddings)


def _findings(extractor: Extractor, options: ProbeOptions) -> Findings:
    signal, model = SIGNALS[options.signal], options.model.name
    found: dict[str, Probed] = {}
    left_out: list[str] = []
    for source, clips in _sources(signal, options.clips):
        try:
            found[source] = probed(extractor, clips)
        except RefusedError as error:
            left_out.append(f"{source}: left out, for the model says: {error}")
    if not found:
        raise InputError("; ".join([*left_out, "--clips names a folder of speech"]))
    # Speech counts where there is some: a signal no voice makes may leave a model's usual range.
    name, judged = list(found.items())[-1]
    fitted = fits(judged.vectors[EMBEDDING], mf.FORMATS)
    made = architecture(extractor, judged.taken)
    (four_bits,) = (fit for fit in fitted if fit.format == FORMAT)
    return Findings(
        verdicts=[fit.verdict for fit in fitted],
        judged=name if name == signal.name else f"{name}, {judged.clips} in all",
        left_out=left_out,
        hypothesis=tested(made, four_bits),
        architecture=architecture_table(made, model=model),
        ranges=range_table(found, model=model, signal=signal),
        fits=fit_table(found),
    )


def _write_before(path: Path, extractor: Extractor, embeddings: Embeddings) -> None:
    rows = before_batch_norm(extractor, embeddings.rows)
    speaker = np.array(embeddings.speaker_names)[embeddings.speaker]
    arrays: dict[str, Any] = {"embeddings": rows, "speaker": speaker}
    if embeddings.utterance is not None:
        arrays[UTTERANCE] = np.array(embeddings.utterance)
    with written_whole(path) as file:
        np.savez(file, **arrays)
    print(f"wrote {path}")


def _sources(signal: Signal, clips: Path | None) -> Iterator[tuple[str, Iterable[Waveform]]]:
    """What is probed, by name, speech last."""
    yield signal.name, [signal.waveform()]
    if clips is not None:
        yield "clips", _clips(clips)


def _clips(folder: Path) -> Iterator[Waveform]:
    """Clips spread over all; those that cannot be read are left out."""
    recordings = find_recordings(folder).recordings
    require_decoders(recording.path for recording in recordings)
    chosen = np.unique(np.linspace(0, len(recordings) - 1, CLIPS).round().astype(int))
    failures: list[str] = []
    for place in tqdm(chosen, unit=" clips", leave=False, disable=None):
        try:
            waveform = read_audio(recordings[place].path).waveform
        except UnreadableError as error:
            failures.append(f"{recordings[place].name} {error}")
            continue
        yield waveform
    if len(failures) == len(chosen):
        raise InputError(f"{folder}: none of {len(chosen)} recordings could be read; {failures[0]}")
