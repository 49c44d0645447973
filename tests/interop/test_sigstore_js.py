"""Do sigstore-js and we accept each other's signatures?

Asked through a program of ours (js/peer.cjs) on its packages `@sigstore/sign` and `@sigstore/verify`.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.interop import peers
from tests.interop.exchange import Bench, Check, Made, NoWay, Who, run, they_sign, we_sign
from tests.interop.matrix import FORMS, Form

_PROGRAM = Path(__file__).parent / "js" / "peer.cjs"


class SigstoreJs:
    """sigstore-js, on a Node.js of its own."""

    name = "sigstore-js"
    compares_subjects = False

    def __init__(self, node: Path, modules: Path) -> None:
        self._node, self._modules = node, modules

    def sign(self, form: Form, bench: Bench) -> Made:
        attestation = form.content == "attestation"
        asked: dict[str, Any] = {
            "content": form.content,
            "signingConfig": json.loads(bench.signing_config(form).read_bytes()),
            "data": _base64(bench.statement() if attestation else bench.artifact),
        }
        if form.by == "identity":
            asked["token"] = bench.token(form)
        else:
            key, public = bench.key.write(bench.folder / "key.pem").read_text(), bench.key.public_key
            # The hint is the caller's affair; that is how the other clients name a key.
            hint = _base64(hashlib.sha256(public.der).digest())
            asked |= {"key": key, "publicKey": public.pem, "hint": hint}
        answer = self._ask({"sign": asked})
        for told, reason in _NO_WAY.items():
            if told in answer.get("refused", ""):
                raise NoWay(reason)
        assert "refused" not in answer, answer
        return Made(bundle=json.dumps(answer["bundle"]).encode(), who=bench.who(form))

    def verify(self, form: Form, bench: Bench, checks: Sequence[Check]) -> list[str]:
        witnesses = 0 if form.log == "none" else 1
        asked = {
            "trustedRoot": json.loads(bench.stack.trusted_root.read_bytes()),
            "tlogs": witnesses,
            "stamps": witnesses,
            "checks": [
                {
                    "bundle": json.loads(check.bundle),
                    "data": _base64(check.artifact),
                    **({"publicKey": check.who.key.pem} if check.who.key else _name(check.who)),
                }
                for check in checks
            ],
        }
        return [why or "" for why in self._ask({"verify": asked})]

    def _ask(self, question: object) -> Any:
        environment = {**os.environ, "NODE_PATH": str(self._modules)}
        done = run([self._node, _PROGRAM], given=json.dumps(question), environment=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


_NO_WAY = {
    "must be hashedrekord": "sigstore-js logs an attestation as `dsse`, and Rekor v2 takes `hashedrekord` alone.",
    "invalid hashedrekord request": "sigstore-js names a signer to Rekor v2 by a certificate, and a key has none.",
}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _name(who: Who) -> dict[str, str]:
    return {"issuer": who.issuer, "san": who.san}


@pytest.fixture(scope="module")
def sigstore_js() -> SigstoreJs:
    return SigstoreJs(*peers.found(peers.node))


@pytest.mark.parametrize("form", FORMS["they"], ids=lambda form: form.id)
def test_what_they_sign_is_verified_here(form: Form, sigstore_js: SigstoreJs, bench: Bench) -> None:
    they_sign(sigstore_js, form, bench)


@pytest.mark.parametrize("form", FORMS["we"], ids=lambda form: form.id)
def test_what_we_sign_is_verified_there(form: Form, sigstore_js: SigstoreJs, bench: Bench) -> None:
    we_sign(sigstore_js, form, bench)
