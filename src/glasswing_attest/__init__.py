"""The supply chain of AI software: say what an artifact is and from what it was made, sign that, prove the whole chain.

    from glasswing_attest import Build, DataRecord, Dataset, KeySigner, Model, Policy, Trust, attest, verify

`attest` makes one signed in-toto statement, `verify` proves an artifact's chain by a policy, `Build` records a run.
The names below are all that is public here; each is loaded when it is first used, so importing the package costs next
to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glasswing_attest._api import (
        Verifier,
        assess,
        attest,
        attest_many,
        endorse,
        replay,
        sign_statement,
        verify,
    )
    from glasswing_attest._version import __version__ as __version__
    from glasswing_attest.artifact.dataset import Dataset
    from glasswing_attest.artifact.digest import Digest
    from glasswing_attest.artifact.file import File
    from glasswing_attest.artifact.manifest import Manifest
    from glasswing_attest.artifact.model import Model
    from glasswing_attest.artifact.source import Source
    from glasswing_attest.attestation import Attestation
    from glasswing_attest.attestation_set import AttestationSet
    from glasswing_attest.capture import Build
    from glasswing_attest.errors import GlasswingError
    from glasswing_attest.policy.policy import Policy
    from glasswing_attest.records.code import CodeRecord
    from glasswing_attest.records.data import DataRecord
    from glasswing_attest.records.dependencies import DependencyRecord
    from glasswing_attest.records.evaluation import EvaluationRecord
    from glasswing_attest.records.model import ModelRecord
    from glasswing_attest.report.report import Report
    from glasswing_attest.signing.key import KeySigner
    from glasswing_attest.signing.keyless import SigstoreSigner
    from glasswing_attest.trust.root import Trust

__all__ = [
    "attest",
    "verify",
    "Model",
    "Dataset",
    "Source",
    "File",
    "ModelRecord",
    "DataRecord",
    "CodeRecord",
    "DependencyRecord",
    "EvaluationRecord",
    "Build",
    "KeySigner",
    "SigstoreSigner",
    "Policy",
    "Trust",
    "Report",
    "Verifier",
    "assess",
    "replay",
    "attest_many",
    "sign_statement",
    "endorse",
    "Attestation",
    "AttestationSet",
    "Manifest",
    "Digest",
    "GlasswingError",
]

_HOMES = {
    "_api": ("Verifier", "assess", "attest", "attest_many", "endorse", "replay", "sign_statement", "verify"),
    "_version": ("__version__",),
    "artifact.dataset": ("Dataset",),
    "artifact.digest": ("Digest",),
    "artifact.file": ("File",),
    "artifact.manifest": ("Manifest",),
    "artifact.model": ("Model",),
    "artifact.source": ("Source",),
    "attestation": ("Attestation",),
    "attestation_set": ("AttestationSet",),
    "capture": ("Build",),
    "errors": ("GlasswingError",),
    "policy.policy": ("Policy",),
    "records.code": ("CodeRecord",),
    "records.data": ("DataRecord",),
    "records.dependencies": ("DependencyRecord",),
    "records.evaluation": ("EvaluationRecord",),
    "records.model": ("ModelRecord",),
    "report.report": ("Report",),
    "signing.key": ("KeySigner",),
    "signing.keyless": ("SigstoreSigner",),
    "trust.root": ("Trust",),
}


if not TYPE_CHECKING:  # a type checker knows every name from above, and shall refuse any other

    def __getattr__(name: str) -> object:
        # PEP 562: a name is imported from where it is made when somebody first asks for it, and then kept.
        for module, names in _HOMES.items():
            if name in names:
                from importlib import import_module

                value: object = getattr(import_module(f"{__name__}.{module}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
