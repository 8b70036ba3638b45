"""Small-float embeddings: encode, pack, and score cosine similarity straight from packed codes."""

from importlib.metadata import version as _version
from importlib.util import find_spec as _find_spec

# The folder of a checkout hides an installed package from Python that starts beside it.
if _find_spec("minifloat._C") is None:
    raise ImportError(
        f"minifloat is imported from {__path__[0]}, where its kernels are not built for this "
        "Python: in a checkout, `pip install -e .` builds them there; to use a minifloat that is "
        "installed, start Python in another folder"
    )

from minifloat import backends as _backends
from minifloat.codec import decode, encode, encode_pack, pack, round, unpack
from minifloat.formats import FORMATS, Format
from minifloat.frames import Frame
from minifloat.index import Index
from minifloat.scoring import pairs_above, range_search, scores, search
from minifloat.vectors import PackedVectors, quantize

__version__ = _version("minifloat")
__all__ = [
    "FORMATS",
    "Format",
    "Frame",
    "Index",
    "PackedVectors",
    "decode",
    "encode",
    "encode_pack",
    "pack",
    "pairs_above",
    "quantize",
    "range_search",
    "round",
    "scores",
    "search",
    "unpack",
]

_backends.register()


def __getattr__(name: str) -> Format:
    """Return a format by its name in capitals: `minifloat.E2M1`."""
    for format in FORMATS:
        if name == format.name.upper():
            return format
    raise AttributeError(f"module 'minifloat' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *(format.name.upper() for format in FORMATS)]
