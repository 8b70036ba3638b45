"""A cohort: speakers whom nobody asks about, with whom scores are normalised.

It has the mean of the length-normalised embeddings of each speaker, as B. Desplanques et al.,
"ECAPA-TDNN", Interspeech 2020, have it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.command.errors import InputError
from evaluation.embeddings.cone import Cone
from evaluation.embeddings.embeddings import Embeddings, at_unit_length, load_embeddings

# Of the largest scores with a cohort so many count, if nothing else is said.
TOP = 200
FEWEST = 2
_SHOWN = 3
# Values of rows that are in float64 at one time: 32 MiB.
_BLOCK = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """A row for each speaker of a cohort, and how many of the largest scores with them count."""

    name: str
    rows: NDArray[np.float32]
    top: int
    sha256: str

    @property
    def words(self) -> str:
        """What scores are normalised by, for readers."""
        if self.top == len(self.rows):
            return f"all {len(self.rows):,} speakers of {self.name}"
        return f"the {self.top:,} nearest of {len(self.rows):,} speakers of {self.name}"


def load_cohort(
    path: Path,
    embeddings: Embeddings,
    *,
    top: int | None = None,
    utt2spk: Path | None = None,
    cone: Cone | None = None,
) -> Cohort:
    """Return the cohort of embeddings: a file of embeddings of the same model, others' voices.

    `top` largest scores count, or else TOP, or all of a smaller cohort. Embeddings that were put
    into a `cone` have a cohort there.
    """
    cohort = load_embeddings(path, utt2spk=utt2spk)
    if cohort.dim != embeddings.dim:
        raise InputError(
            f"{path}: a cohort must have the {embeddings.dim} values a row of {embeddings.name}; "
            f"got {cohort.dim}"
        )
    _refuse_shared_speakers(path, cohort, embeddings)
    rows = speaker_rows(cohort if cone is None else cone.of(cohort))
    if len(rows) < FEWEST:
        raise InputError(f"{path}: a cohort must have at least {FEWEST} speakers; got {len(rows)}")
    if top is not None and not FEWEST <= top <= len(rows):
        raise InputError(
            f"{path}: as many of the largest scores as --cohort-top says must be at least "
            f"{FEWEST} and at most the {len(rows)} speakers of the cohort; got {top}"
        )
    top = min(TOP, len(rows)) if top is None else top
    return Cohort(name=path.name, rows=rows, top=top, sha256=cohort.sha256)


def speaker_rows(embeddings: Embeddings) -> NDArray[np.float32]:
    """Return a row (speakers, dim) for each speaker: the mean of the speaker's rows at length 1.

    It is as long as they are on average: a format that does not scale stores both alike.
    """
    speakers = len(embeddings.speaker_names)
    total, lengths = np.zeros((speakers, embeddings.dim)), np.zeros(speakers)
    for block in embeddings.blocks(rows=max(1, _BLOCK // embeddings.dim)):
        rows, speaker = embeddings.rows[block], embeddings.speaker[block]
        np.add.at(total, speaker, at_unit_length(rows))
        wide = rows.astype(np.float64)
        lengths += np.bincount(speaker, np.linalg.norm(wide, axis=1), minlength=speakers)
    mean_lengths = lengths / np.bincount(embeddings.speaker, minlength=speakers)
    return (at_unit_length(total) * mean_lengths[:, None]).astype(np.float32)


def _refuse_shared_speakers(path: Path, cohort: Embeddings, embeddings: Embeddings) -> None:
    """Raise InputError for speakers of both: nobody is normalised by their own voice."""
    shared: Sequence[str] = sorted({*cohort.speaker_names} & {*embeddings.speaker_names})
    if shared:
        shown = ", ".join(shared[:_SHOWN]) + (", ..." if len(shared) > _SHOWN else "")
        raise InputError(
            f"{path}: speakers of a cohort must be none of {embeddings.name}; {len(shared)} of "
            f"{len(cohort.speaker_names)} are: {shown}; others who are called the same need "
            "another name"
        )
