"""The one exception that the command line shows without a traceback, and its text there."""

# A message is cut after so many characters.
_LONGEST_MESSAGE = 2000


class InputError(ValueError):
    """What a user can mend: a file, a list or an option that cannot be used as it is."""


def message_text(text: str) -> str:
    """Return a text for a terminal: what would steer it is shown as an escape, and much is cut."""
    if len(text) > _LONGEST_MESSAGE:
        text = f"{text[:_LONGEST_MESSAGE]}... ({len(text):,} characters)"
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
