"""The command line: python -m evaluation STUDY ..."""

import argparse
import importlib
import math
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.errors import InputError
from evaluation.extraction import command as extraction
from evaluation.format_names import ALL_NAMES, formats_named
from evaluation.separation import command as separation

EXTRA = ("matplotlib", "jinja2", "tqdm")
INSTALL = 'pip install "minifloat[evaluation]"'
PROGRAM = "python -m evaluation"


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, or 2 for what the user can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    try:
        options.run(options, command=shlex.join([*PROGRAM.split(), *given]))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(options.interrupted, file=sys.stderr)
        return 130
    return 0


def _require_extra() -> None:
    for package in EXTRA:
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            raise InputError(
                f"the studies need {error.name}, which is not installed; {INSTALL}"
            ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Studies of embeddings.")
    studies = parser.add_subparsers(dest="study", required=True, metavar="STUDY")
    bitdepth = studies.add_parser(
        "bitdepth",
        help="what fewer bits per value cost in speaker verification",
        description="Store embeddings in each format, as they are and scaled to its range, "
        "compare both sides in it, and report FAR, FRR and EER with 95 %% intervals. Prints a "
        "table per model; writes metrics.csv, figures (SVG) and report.html.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    bitdepth.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="one a model: .npz with embeddings (rows, dim), speaker (rows,), utterance (rows,); "
        ".safetensors of the extract command; .ark or .scp of Kaldi with utt2spk beside it",
    )
    bitdepth.add_argument(
        "--trials",
        type=Path,
        metavar="LIST",
        help="lines of 'label path path' (VoxCeleb's form, .gz too); without it all pairs",
    )
    bitdepth.add_argument(
        "--threshold",
        type=float,
        action="append",
        default=[],
        metavar="COSINE",
        help="where FAR and FRR are taken, once or once per FILE; without it where float32's meet",
    )
    bitdepth.add_argument(
        "--formats", default=ALL_NAMES, metavar="NAMES", help="comma-separated, out of the default"
    )
    bitdepth.add_argument(
        "--draws", type=int, default=1000, help="draws of speakers for the intervals"
    )
    bitdepth.add_argument("--seed", type=int, default=0, help="seed of the draws, 0 or more")
    bitdepth.add_argument(
        "--tolerance",
        type=float,
        default=0.5,
        metavar="POINTS",
        help="the rise of FAR or FRR, in percentage points, up to which a format is called safe",
    )
    bitdepth.add_argument(
        "--out", type=Path, default=Path("bitdepth-report"), metavar="DIR", help="where files go"
    )
    bitdepth.set_defaults(
        run=_bitdepth, interrupted="interrupted; what was finished is in the output folder"
    )
    separation.add_parser(studies)
    extraction.add_parser(studies)
    return parser


def _bitdepth(given: argparse.Namespace, *, command: str) -> None:
    _require_extra()
    # Imported late: it needs the packages whose absence is told above.
    from evaluation.bitdepth.run import Options, run

    if given.draws < 1:
        raise InputError(f"--draws must be at least 1; got {given.draws}")
    if given.seed < 0:
        raise InputError(f"--seed must be at least 0; got {given.seed}")
    if not (math.isfinite(given.tolerance) and given.tolerance >= 0):
        raise InputError(f"--tolerance must be at least 0 points; got {given.tolerance}")
    run(
        Options(
            files=given.files,
            trials=given.trials,
            thresholds=given.threshold,
            formats=formats_named(given.formats),
            draws=given.draws,
            seed=given.seed,
            tolerance=given.tolerance / 100,
            out=given.out,
            command=command,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
