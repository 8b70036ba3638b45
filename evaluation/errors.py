"""The one exception that the command line shows without a traceback."""


class InputError(ValueError):
    """What a user can mend: a file, a list or an option that cannot be used as it is."""
