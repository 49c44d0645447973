"""What do the exchanges with other clients share?"""

import uuid
from pathlib import Path

import pytest

from tests.chains import signer
from tests.interop.exchange import Bench
from tests.stack import Stack


@pytest.fixture
def bench(stack: Stack, tmp_path: Path) -> Bench:
    """A folder, an artifact that nobody has signed, and keys on P-256, beside the servers."""
    return Bench(
        stack=stack,
        folder=tmp_path,
        artifact=uuid.uuid4().bytes,
        key=signer("interop", "ecdsa-p256"),
        other_key=signer("interop-other", "ecdsa-p256"),
    )
