"""Which version is it? What the installed distribution says."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("glasswing-attest")
except PackageNotFoundError:  # running from a source tree that is not installed
    __version__ = "0+unknown"
