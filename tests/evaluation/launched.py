"""Ranks of a study, as a launcher starts them, each a process of its own."""

from collections.abc import Sequence
from pathlib import Path

from tests.support import launched
from tests.support.launched import Ended

# Small batches, so that every rank has some of a small file, and maps that take no minute.
STUDY = """
import sys
import numpy as np
import evaluation.statistics.identification as identification
import evaluation.stored.scorers as scorers
import evaluation.trials.pairs as pairs
from evaluation.__main__ import main

pairs.BATCH = pairs.PAIR_VALUES = 300
scorers.BATCH, identification.PART = 90, 7
if sys.argv[1] == "separation":
    from evaluation.separation import run, study
    run.required_umap = lambda: None
    study.speaker_map = lambda rows, options: rows @ np.eye(rows.shape[1], 2, dtype=np.float32)
"""
RUN = "sys.exit(main(sys.argv[1:]))"


def launch(
    count: int, program: str, arguments: Sequence[str] = (), *, folders: Sequence[Path]
) -> list[Ended]:
    """Return how each of `count` ranks has ended, each in its folder."""
    modules = "evaluation.bitdepth.run", "evaluation.separation.run"
    return launched.launch(count, program, arguments, folders=folders, modules=modules)
