"""A real Sigstore on the loopback: Fulcio, a CT log, Rekor v1 and v2, two clocks, and identity providers.

Upstream's own servers (`build`), each started as it is (`run`), with throwaway keys (`authorities`). Tests take the
fixture `stack`, people `make stack`; docs/stack.md says more.
"""

from tests.stack.build import StackAbsent, binary
from tests.stack.identities import IDENTITIES
from tests.stack.processes import StackFailed
from tests.stack.run import running
from tests.stack.stack import Stack

__all__ = ["IDENTITIES", "Stack", "StackAbsent", "StackFailed", "binary", "running"]
