"""DOES THE POLICY SAY WHAT WAS MEANT? Cases with the answer that is expected, run against a policy.

    from glasswing_attest.policy_tests import run_policy_tests

The format of cases is described in docs/policy-tests.md, so that other tools can run them too.
"""

from glasswing_attest.policy_tests.answer import Answer, CaseResult, Difference, judge
from glasswing_attest.policy_tests.case import Asked, Expected, PolicyCase, find_cases, load_case
from glasswing_attest.policy_tests.suite import PolicyTests, run_policy_tests

__all__ = [
    "run_policy_tests",
    "PolicyTests",
    "CaseResult",
    "Difference",
    "Answer",
    "judge",
    "find_cases",
    "load_case",
    "PolicyCase",
    "Asked",
    "Expected",
]
