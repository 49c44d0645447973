"""See tests/interop/matrix.py."""

import sys

from tests.interop.matrix import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
