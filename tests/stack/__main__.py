"""A Sigstore to try things on, until Ctrl-C.

python -m tests.stack [--keep FOLDER]      start it, and say how to sign there
python -m tests.stack build [NAME …]       build what is missing
"""

import sys
from pathlib import Path


def _main(arguments: list[str]) -> int:
    from tests.stack import background, build, clock, front, issuer, people

    match arguments:
        case ["build", *names]:
            return build.main(names)
        # These four are called by the stack itself, each as a process of its own.
        case ["background", folder, owner]:
            return background.main(Path(folder), int(owner))
        case ["issuer", port, key]:
            issuer.serve(int(port), issuer.load_key(Path(key))).serve_forever()
        case ["clock", port, *paths]:
            clock.serve(int(port), *map(Path, paths)).serve_forever()
        case ["front", port, behind, tiles]:
            front.serve(int(port), behind, Path(tiles)).serve_forever()
        case _:
            return people.main(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
