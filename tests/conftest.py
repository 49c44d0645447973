"""What do all tests share?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.shared import shared_folder, unpacked
from tests.stack.fixture import stack

__all__ = ["stack"]

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "glasswing_attest"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def source() -> Path:
    """The package's own folder, src/glasswing_attest."""
    return SOURCE


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The third-party cases, unpacked outside of the checkout: see tests/shared.py. Skips when there are none."""
    try:
        return unpacked()
    except FileNotFoundError as absent:
        pytest.skip(str(absent))


@pytest.fixture(scope="session")
def recorded_stack() -> Path:
    """Bundles that four clients made on a real Sigstore, with its trusted root. Skips when there are none."""
    try:
        folder = shared_folder() / "recorded-stack"
    except FileNotFoundError as absent:
        pytest.skip(str(absent))
    if not folder.is_dir():
        pytest.skip(f"no recorded stack: {folder} does not exist")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the third-party cases: `-m "not shared"` leaves them out."""
    for item in items:
        if {"shared_data", "recorded_stack"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.shared)


@pytest.fixture
def write_tree(tmp_path: Path) -> Callable[[dict[str, str | bytes]], Path]:
    """Writes {"a/b.txt": "…"} below a fresh folder, and returns that folder."""

    def write(files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return write
