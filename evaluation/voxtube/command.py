"""The command line of the recipe: python -m evaluation voxtube ..."""

import argparse
from pathlib import Path

from evaluation.command.help import HelpFormatter
from evaluation.command.packages import require

EXTRA = ("soundfile", "soxr", "tqdm")
INSTALL = 'pip install "minifloat[voxtube]"'
INTERRUPTED = "interrupted; what was written is kept: run the same command to go on"


def add_parser(studies: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the studies."""
    parser = studies.add_parser(
        "voxtube",
        help="folders of speakers out of a copy of VoxTube, for extract",
        description="Write the first clips of each speaker of a language, in the order of the "
        "data set, as DIR/SPEAKER/1.wav and so on: by default the voxtube-ru of the published "
        "separation study. Nothing is downloaded. It can be stopped at any point and started "
        "again: what is written is kept. Prints how many clips were left out and why.",
        formatter_class=HelpFormatter,
    )
    add = parser.add_argument
    add(
        "data",
        type=Path,
        metavar="DATA",
        help="the copy: a folder of .parquet shards with sounds in them, one such file, or a list "
        "with paths of sounds, .csv or .jsonl",
    )
    add("out", type=Path, metavar="DIR", help="where folders of speakers go")
    add("--language", default="russian", help="as the data set calls it")
    add("--clips", type=int, default=25, metavar="N", help="clips of a speaker")
    add("--keep-few", action="store_true", help="keep speakers who have fewer clips, too")
    add("--split", default="train", help="of a folder the shards whose names begin so")
    add("--speaker-column", default="spk_id", metavar="NAME", help="column of the speaker")
    add("--language-column", default="language", metavar="NAME", help="column of the language")
    add("--audio-column", default="audio", metavar="NAME", help="column of the sound or its path")
    parser.set_defaults(run=_voxtube, interrupted=INTERRUPTED)


def _voxtube(given: argparse.Namespace, *, command: str) -> None:
    for package in EXTRA:
        require(package, needs="the recipe needs", install=INSTALL)
    from evaluation.voxtube.clips import Columns
    from evaluation.voxtube.run import VoxtubeOptions, run

    columns = Columns(
        speaker=given.speaker_column, language=given.language_column, audio=given.audio_column
    )
    run(
        VoxtubeOptions(
            data=given.data,
            out=given.out,
            columns=columns,
            split=given.split,
            language=given.language,
            clips=given.clips,
            keep_few=given.keep_few,
        )
    )
