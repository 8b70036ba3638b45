"""The command line of extraction: python -m evaluation extract ..."""

import argparse
from pathlib import Path

from evaluation.command.help import HelpFormatter
from evaluation.command.packages import require
from evaluation.extractors.options import add_device, add_model, add_weights, chosen_model

EXTRA = ("soundfile", "soxr", "tqdm")
INSTALL = 'pip install "minifloat[extract]"'
INTERRUPTED = "interrupted; what was done is kept: run the same command to go on"


def add_parser(studies: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the studies."""
    # Layouts are few and named in folders.py, which needs nothing that may be missing.
    from evaluation.recordings.folders import AUTO, LAYOUTS

    parser = studies.add_parser(
        "extract",
        help="embeddings of recordings, for the studies",
        description="Run a model on recordings and write embeddings (FILE.safetensors) and a "
        "manifest (FILE.csv) that the studies read. It can be stopped at any point and started "
        "again: what is done is kept. Recordings that fail are listed (FILE-skipped.csv).",
        formatter_class=HelpFormatter,
    )
    add_model(parser)
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="DIR",
        help="a folder with a folder for each speaker, a CSV file with columns speaker and path, "
        "or a .json file of the published separation study, whose spk and audio these are",
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="a .safetensors file"
    )
    add_weights(parser)
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        default=AUTO,
        help="which folder names the speaker: the first, or that of a corpus",
    )
    add_device(parser)
    parser.add_argument(
        "--batch", type=int, default=32, help="recordings that are embedded and kept together"
    )
    parser.set_defaults(run=_extract, interrupted=INTERRUPTED)


def _extract(given: argparse.Namespace, *, command: str) -> None:
    for package in EXTRA:
        require(package, needs="extraction needs", install=INSTALL)
    from evaluation.extraction.run import ExtractionOptions, run

    run(
        ExtractionOptions(
            model=chosen_model(given),
            data=given.data,
            layout=given.layout,
            out=given.out,
            batch=given.batch,
        )
    )
