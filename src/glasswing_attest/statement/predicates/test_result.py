"""Did its tests pass?

in-toto test result (in-toto attestation, spec/predicates/test-result.md), predicate type
``https://in-toto.io/attestation/test-result/v0.1``. ::

    {result: "PASSED" | "WARNED" | "FAILED", configuration: [<ResourceDescriptor>, …], url?,
     passedTests?: [name, …], warnedTests?: [name, …], failedTests?: [name, …]}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from glasswing_attest._wire import Node
from glasswing_attest.errors import FieldRefused
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import get_descriptors, texts, unless_empty
from glasswing_attest.statement.predicates.predicate_type import PredicateType
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["TEST_RESULT_V01", "TYPES", "SuiteResult"]

TEST_RESULT_V01 = "https://in-toto.io/attestation/test-result/v0.1"

_Result = Literal["PASSED", "WARNED", "FAILED"]
_RESULTS: dict[str, _Result] = {"PASSED": "PASSED", "WARNED": "WARNED", "FAILED": "FAILED"}


# Not TestResult: pytest would collect it wherever a test imports it.
@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """The result of one run of a test suite, and the names of its tests.

    `result` is the harness's own word. A suite may have passed although tests that it tolerates failed, so whoever
    needs every test to have passed looks at `failed` as well.

    >>> SuiteResult(result="PASSED", passed=("unit",)).to_predicate()
    {'result': 'PASSED', 'configuration': [], 'passedTests': ['unit']}
    """

    result: _Result
    configuration: tuple[ResourceDescriptor, ...] = ()
    url: str = ""
    passed: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.result not in _RESULTS:
            raise FieldRefused(where="result", found=self.result, wanted=f"one of {', '.join(_RESULTS)}")

    @property
    def predicate_type(self) -> str:
        """``https://in-toto.io/attestation/test-result/v0.1``."""
        return TEST_RESULT_V01

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> SuiteResult:
        """Read a predicate. Raises `MalformedError` with the path, or `LimitError`."""
        node.need("configuration")  # required, although it may be empty

        def names(name: str) -> tuple[str, ...]:
            found = node.get(name)
            return () if found is None else texts(found)

        return cls(
            result=node.need("result").one_of(_RESULTS),
            configuration=get_descriptors(node, "configuration", limits),
            url=node.get_text("url"),
            passed=names("passedTests"),
            warned=names("warnedTests"),
            failed=names("failedTests"),
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as in-toto's JSON object. ``configuration`` is always written, since it is required."""
        return {
            "result": self.result,
            "configuration": [item.to_dict() for item in self.configuration],
            **unless_empty(
                {
                    "url": self.url,
                    "passedTests": list(self.passed),
                    "warnedTests": list(self.warned),
                    "failedTests": list(self.failed),
                }
            ),
        }


TYPES = (
    PredicateType(uri=TEST_RESULT_V01, parse=lambda node, limits: SuiteResult.from_predicate(node, limits=limits)),
)
