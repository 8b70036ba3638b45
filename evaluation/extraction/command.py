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
    from evaluation.extraction.shards import Shard
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
    _add_out(parser)
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
    parser.add_argument(
        "--shard",
        type=Shard.parse,
        metavar="I/N",
        help="only the I-th of N parts of the recordings, I from 1 to N, into files of its own "
        "beside FILE (FILE-shard-I-of-N.safetensors), for `merge`; $((RANK+1))/$WORLD_SIZE under "
        "torchrun, $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT in an array of Slurm from 1",
    )
    parser.set_defaults(run=_extract, interrupted=INTERRUPTED)


def add_merge_parser(studies: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command that makes shards one file to the studies."""
    parser = studies.add_parser(
        "merge",
        help="one file of the shards of an extraction",
        description="Make the shards that extract --shard has written beside FILE one file, to the "
        "byte what extract writes without shards: embeddings (FILE.safetensors), a manifest "
        "(FILE.csv) and the list of recordings that failed (FILE-skipped.csv). All shards must be "
        "finished, of one model and of the same recordings; they are kept.",
        formatter_class=HelpFormatter,
    )
    _add_out(parser)
    parser.set_defaults(run=_merge, interrupted="interrupted; run the same command again")


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="a .safetensors file"
    )


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
            shard=given.shard,
        )
    )


def _merge(given: argparse.Namespace, *, command: str) -> None:
    from evaluation.extraction.merging import merge

    merge(given.out)
