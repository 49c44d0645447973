"""Do sigstore-python and we accept each other's signatures?

Asked through small programs, in an environment of its own, whose versions are pinned.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.interop import peers
from tests.interop.exchange import SAID, Bench, Check, Made, NoWay, run, they_sign, we_sign
from tests.interop.matrix import FORMS, Form

_SIGN = """
import hashlib, json, sys
from sigstore.dsse import DigestSet, StatementBuilder, Subject
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

said = json.load(sys.stdin)
config = ClientTrustConfig.from_json(json.dumps(said["config"]))
data = bytes.fromhex(said["data"])
with SigningContext.from_trust_config(config).signer(IdentityToken(said["token"])) as signer:
    if said["content"] == "artifact":
        bundle = signer.sign_artifact(data)
    else:
        about = Subject(name="m.bin", digest=DigestSet({"sha256": hashlib.sha256(data).hexdigest()}))
        statement = StatementBuilder([about], said["predicateType"], said["predicate"]).build()
        bundle = signer.sign_dsse(statement)
print(bundle.to_json())
"""
_VERIFY = """
import json, sys
from sigstore.errors import VerificationError
from sigstore.models import Bundle, InvalidBundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

said = json.load(sys.stdin)
verifier = Verifier(trusted_root=TrustedRoot.from_file(said["root"]))
answers = []
for check in said["checks"]:
    try:
        bundle, who = Bundle.from_json(check["bundle"]), Identity(identity=check["san"], issuer=check["issuer"])
        if said["content"] == "artifact":
            verifier.verify_artifact(bytes.fromhex(check["data"]), bundle, who)
        else:
            verifier.verify_dsse(bundle, who)
        answers.append("")
    except (VerificationError, InvalidBundle) as e:
        answers.append(f"{type(e).__name__}: {e}")
print(json.dumps(answers))
"""
_CERTIFICATES = "sigstore-python signs and verifies with certificates."
_ONE_LOG = "sigstore-python takes one log entry of a signature."


class SigstorePython:
    """sigstore-python, in a Python of its own."""

    name = "sigstore-python"
    compares_subjects = False

    def __init__(self, python: Path) -> None:
        self._python = python

    def sign(self, form: Form, bench: Bench) -> Made:
        if form.by == "key":
            raise NoWay(_CERTIFICATES)
        config = {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": json.loads(bench.stack.trusted_root.read_bytes()),
            "signingConfig": json.loads(bench.signing_config(form).read_bytes()),
        }
        asked = {
            "content": form.content,
            "config": config,
            "token": bench.token(form),
            "data": bench.artifact.hex(),
            "predicateType": SAID.predicate_type,
            "predicate": json.loads(SAID.to_json()),
        }
        return Made(bundle=self._ask(_SIGN, asked).encode(), who=bench.who(form))

    def verify(self, form: Form, bench: Bench, checks: Sequence[Check]) -> list[str]:
        told: list[dict[str, str]] = [
            {
                "bundle": check.bundle.decode(),
                "data": check.artifact.hex(),
                "san": check.who.san,
                "issuer": check.who.issuer,
            }
            for check in checks
        ]
        asked = {"content": form.content, "root": str(bench.stack.trusted_root), "checks": told}
        answers: list[str] = json.loads(self._ask(_VERIFY, asked))
        if form.by == "key" and "certificate" in answers[0]:
            raise NoWay(_CERTIFICATES)
        if form.log == "both" and "exactly one log entry" in answers[0]:
            raise NoWay(_ONE_LOG)
        return answers

    def _ask(self, program: str, question: dict[str, Any]) -> str:
        done = run([self._python, "-I", "-W", "ignore", "-c", program], given=json.dumps(question))
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def sigstore_python() -> SigstorePython:
    return SigstorePython(peers.found(peers.python))


@pytest.mark.parametrize("form", FORMS["they"], ids=lambda form: form.id)
def test_what_they_sign_is_verified_here(form: Form, sigstore_python: SigstorePython, bench: Bench) -> None:
    they_sign(sigstore_python, form, bench)


@pytest.mark.parametrize("form", FORMS["we"], ids=lambda form: form.id)
def test_what_we_sign_is_verified_there(form: Form, sigstore_python: SigstorePython, bench: Bench) -> None:
    we_sign(sigstore_python, form, bench)
