"""A model by its name: what it needs, which options it takes, and how it is loaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

from evaluation.command.packages import require
from evaluation.extractors.extractor import Extractor


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option that some models take; `otherwise` says of another why it takes none."""

    name: str
    metavar: str
    help: str
    otherwise: str


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model: the module of its library, the extra that installs that, and the options it takes.

    `load` makes the extractor of `weights`, `device` and those options. `before` is what must be
    installed by itself before the extra.
    """

    name: str
    library: str
    extra: str
    load: Callable[..., Extractor]
    takes: Sequence[Option] = ()
    before: str = ""

    def required(self, module: str = "") -> ModuleType:
        """Return the library, or a module of it; a missing one is an error with its command."""
        install = f'{self.before}pip install "minifloat[{self.extra}]"'
        return require(module or self.library, needs=f"{self.name} needs", install=install)
