"""Tasks of the bit-depth study, and what its tables are made of."""

from pathlib import Path

from evaluation.bitdepth.operating_point import OperatingPoint
from evaluation.bitdepth.options import BitdepthOptions
from evaluation.bitdepth.study import BitdepthStudy, Task
from evaluation.bitdepth.tables.told import Told
from evaluation.bitdepth.tolerance import Tolerance
from evaluation.embeddings.embeddings import Embeddings
from evaluation.trials.pairs import AllPairs


def all_pairs(
    embeddings: Embeddings,
    *,
    operating_point: OperatingPoint | None = None,
    published: str | None = None,
) -> Task:
    """Return the task of comparing every pair of rows."""
    return Task(
        name=embeddings.name,
        embeddings=embeddings,
        trials=AllPairs(embeddings),
        operating_point=operating_point or OperatingPoint(),
        published=published,
    )


def told(*studies: BitdepthStudy) -> Told:
    """Return studies as tables are given them, where the command line asks for nothing special."""
    options = BitdepthOptions(
        files=[],
        utt2spk=None,
        formats=[],
        cone=None,
        draws=5,
        seed=0,
        out=Path(),
        command="",
        trials=[],
        thresholds=[],
        fars=[],
        tolerance=Tolerance(),
        speed=False,
        cohorts=[],
        cohort_top=None,
    )
    return Told(studies=studies, options=options)
