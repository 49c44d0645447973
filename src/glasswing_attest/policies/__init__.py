"""WHAT DO MOST PEOPLE ASK FOR? Ready policies: functions that give a `Policy` from a few words.

    from glasswing_attest.policies import github_release

Each is an ordinary policy, which `to_yaml` writes down with comments, to be read, changed and tested.
"""

from glasswing_attest.policies.github import github_release
from glasswing_attest.policies.models import oms_model, trained_model
from glasswing_attest.policies.packages import npm_package, pypi_package
from glasswing_attest.policies.parts import Times, Who
from glasswing_attest.policies.slsa import slsa_build, verification_summary
from glasswing_attest.policies.trusting import trust_advice
from glasswing_attest.policies.writing import to_yaml

__all__ = [
    "slsa_build",
    "github_release",
    "trained_model",
    "oms_model",
    "npm_package",
    "pypi_package",
    "verification_summary",
    "to_yaml",
    "trust_advice",
    "Times",
    "Who",
]
