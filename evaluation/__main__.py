"""The command line: python -m evaluation STUDY ..."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from evaluation.bitdepth.command import add_parser as add_bitdepth
from evaluation.command.errors import InputError, message_text
from evaluation.command.sharing import silent_unless_first
from evaluation.extraction.command import add_merge_parser as add_merge
from evaluation.extraction.command import add_parser as add_extract
from evaluation.files.study_file import expanded
from evaluation.probe.command import add_parser as add_probe
from evaluation.separation.command import add_parser as add_separation
from evaluation.voxtube.command import add_parser as add_voxtube
from minifloat.distributed.exchange.errors import RankError

PROGRAM = "python -m evaluation"
SHARED = (["bitdepth"], ["separation"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, or 2 for what the user can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # These share their work among ranks; all others are on their own.
    with silent_unless_first() if given[:1] in SHARED else nullcontext():
        return _main(given)


def _main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Studies of embeddings.")
    studies = parser.add_subparsers(dest="command", required=True, metavar="STUDY")
    keys = {"bitdepth": add_bitdepth(studies), "separation": add_separation(studies)}
    add_extract(studies)
    add_merge(studies)
    add_probe(studies)
    add_voxtube(studies)
    try:
        if given and given[0] in keys:
            given = [given[0], *expanded(given[1:], keys[given[0]])]
        options = parser.parse_args(given)
        options.run(options, command=shlex.join([*PROGRAM.split(), *given]))
    except (InputError, RankError) as error:
        print(message_text(f"error: {error}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(options.interrupted, file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
