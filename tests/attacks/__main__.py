"""Writes the attack corpus for another tool to run: ``python -m tests.attacks FOLDER``."""

import sys
from pathlib import Path

from tests.attacks.corpus import attacks, write

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(Path(sys.argv[1]))
    print(f"{len(attacks())} attacks, each with its honest twin")
