"""Configuration of the documentation site: `scripts/docs` builds it into build/docs/."""

import os
import re
from importlib import metadata
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

project = "minifloat"
author = "the minifloat developers"
copyright = author
version = release = metadata.version(project)

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
]
exclude_patterns = ["conftest.py"]

html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False
html_show_copyright = False

# Pages link to headings of each other, as they do where a checkout is read.
myst_heading_anchors = 3

# Docstrings are prose: a name in backticks is code.
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"ArrayLike": "ArrayLike", "FormatLike": "FormatLike"}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

# Readers copy what is typed, not what is printed.
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True


# What stands beside docs/ in a checkout, and the page that shows it: one that leads to it there.
ROOT = Path(__file__).parents[1]
SHOWN = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing/index.md",
    "evaluation/samples/README.md": "studies/samples.md",
    "examples/README.md": "how-to/examples.md",
}
PAGES = {page: file for file, page in SHOWN.items()}
_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")
_ALIAS = re.compile(r"TypeAliasForwardRef\('(\w+)'\)")
_CONTENTS = re.compile(r"^```{toctree}.*?^```$", re.MULTILINE | re.DOTALL)


def _read(app: Sphinx, name: str, content: list[str]) -> None:
    """Show a file beside docs/ where its page is, and lead links to such files to their pages."""
    page = Path(app.srcdir) / f"{name}.md"
    source = PAGES.get(f"{name}.md")
    text, folder = content[0], page.parent
    if source is not None:
        text = "\n\n".join([(ROOT / source).read_text(), *_CONTENTS.findall(text)])
        folder = (ROOT / source).parent

    def link(match: re.Match[str]) -> str:
        target = os.path.normpath(folder / match[1])
        shown = SHOWN.get(os.path.relpath(target, ROOT))
        target = target if shown is None else os.path.join(app.srcdir, shown)
        return f"]({os.path.relpath(target, page.parent)}"

    content[0] = _LINK.sub(link, text)


def _signature(*given: Any) -> tuple[str | None, ...]:
    """Return a signature and what it returns, with aliases of types by their names alone."""
    return tuple(part and _ALIAS.sub(r"\1", part) for part in given[-2:])


def setup(app: Sphinx) -> None:
    """Have pages and signatures shown so."""
    app.connect("source-read", _read)
    app.connect("autodoc-process-signature", _signature)
