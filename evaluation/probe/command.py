"""The command line of the range probe: python -m evaluation probe ..."""

import argparse
from pathlib import Path

from evaluation.command.help import HelpFormatter
from evaluation.command.options import add_out, add_utt2spk
from evaluation.command.packages import require
from evaluation.extractors.options import add_device, add_model, add_weights, chosen_model

EXTRA = ("matplotlib", "jinja2", "tqdm")
INSTALL = 'pip install "minifloat[evaluation]"'


def add_parser(studies: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the studies."""
    parser = studies.add_parser(
        "probe",
        help="how large a model's values are, and which formats they fit",
        description="Run a model on a two-valued signal of 2 s, and on clips where they are "
        "given, and report the range of its numbers at each stage, with a verdict for every "
        "format, and whether the published hypothesis about residual blocks and a last batch "
        "normalisation holds for it. Prints the verdicts; writes ranges.csv, fits.csv, "
        "architecture.csv and report.html.",
        formatter_class=HelpFormatter,
    )
    add_model(parser)
    add_weights(parser)
    add_device(parser)
    parser.add_argument(
        "--signal",
        choices=("published", "square"),
        default="published",
        help="the signal: that of the published study, two samples of +1 and one of -1 in turn, "
        "beside whose ranges the paper's are shown; or a square wave of 125 Hz",
    )
    parser.add_argument(
        "--clips",
        type=Path,
        metavar="DIR",
        help="recordings as for the extract command; where there are many, some spread over all",
    )
    parser.add_argument(
        "--embeddings",
        type=Path,
        metavar="FILE",
        help="embeddings of this model, which ends in batch normalisation: written as they were "
        "before it, for the bitdepth study to compare",
    )
    add_utt2spk(parser)
    add_out(parser, "probe-report")
    parser.set_defaults(run=_probe, interrupted="interrupted; nothing was written")


def _probe(given: argparse.Namespace, *, command: str) -> None:
    for package in EXTRA:
        require(package, needs="the probe needs", install=INSTALL)
    for package in ("soundfile", "soxr") if given.clips else ():
        require(package, needs="the probe needs", install='pip install "minifloat[extract]"')
    # Imported late: it needs the packages whose absence is told above.
    from evaluation.probe.run import ProbeOptions, run

    run(
        ProbeOptions(
            model=chosen_model(given),
            signal=given.signal,
            clips=given.clips,
            embeddings=given.embeddings,
            utt2spk=given.utt2spk,
            out=given.out,
            command=command,
        )
    )
