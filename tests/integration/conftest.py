"""What must be there when somebody says that it must be."""

import os
from collections.abc import Generator
from typing import Any

import pytest

_DEVICES = {"test_hsm", "test_kms_aws", "test_kms_gcp_azure", "test_tpm"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """With `GLASSWING_ATTEST_REQUIRE_DEVICES` set, whoever would skip for want of a device or its library fails."""
    report = yield
    if report.skipped and item.path.stem in _DEVICES and os.environ.get("GLASSWING_ATTEST_REQUIRE_DEVICES"):
        report.outcome = "failed"
        report.longrepr = f"it must not be skipped: {report.longrepr[2]}"
    return report
