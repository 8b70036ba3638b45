"""What `--help` prints, in all commands."""

import argparse


class HelpFormatter(argparse.HelpFormatter):
    """Texts as they are written, `%` too, and defaults that say something."""

    def _expand_help(self, action: argparse.Action) -> str:
        text, default = action.help or "", action.default
        # An option of no value is off by default, and one of several has none.
        if default in (None, False, argparse.SUPPRESS, "", (), []):
            return text
        return f"{text} (default: {default})"
