"""Pages whose examples need a package that tests do not install."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("lance") else ["how-to/lance.md"]
