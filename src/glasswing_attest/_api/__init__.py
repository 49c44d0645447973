"""The recipes: attest, verify, and what stands around them. The only place that picks a default or reads the clock."""

from glasswing_attest._api.attesting import Predicate, attest, attest_many, endorse, sign_statement
from glasswing_attest._api.replaying import replay
from glasswing_attest._api.verifying import Verifier, assess, verify

__all__ = ["Predicate", "Verifier", "assess", "attest", "attest_many", "endorse", "replay", "sign_statement", "verify"]
