"""What the command line of the separation study asks for."""

from dataclasses import dataclass

import minifloat as mf
from evaluation.command.options import StudyOptions
from evaluation.separation.definitions import Definitions


@dataclass(frozen=True, kw_only=True)
class SeparationOptions(StudyOptions):
    """What the study is asked for; `mapped` are the formats, besides float32, with a map."""

    mapped: list[mf.Format]
    definitions: Definitions
