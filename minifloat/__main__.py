"""`python -m minifloat`: what is here, and with arguments the commands of `minifloat`."""

import sys

from minifloat.cli import main as run
from minifloat.cli.machine import described


def main() -> None:
    """Print what is here; with arguments, run the command that they name."""
    if len(sys.argv) > 1:
        run()
    print(described())


if __name__ == "__main__":
    main()
