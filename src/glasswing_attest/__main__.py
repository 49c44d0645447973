"""What does ``python -m glasswing_attest`` do? The same as ``glasswing-attest``."""

from __future__ import annotations

import sys

from glasswing_attest._cli import main

if __name__ == "__main__":
    sys.exit(main())
