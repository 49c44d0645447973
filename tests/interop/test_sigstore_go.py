"""Do sigstore-go and we accept each other's signatures?

Asked through the two programs that the project ships as its examples.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from glasswing_attest.keys import PublicKey
from tests.interop.exchange import Bench, Check, Made, NoWay, Who, run, they_sign, we_sign
from tests.interop.matrix import FORMS, Form
from tests.interop.peers import found
from tests.stack import binary

_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\n", re.DOTALL)


class SigstoreGo:
    """The examples of sigstore-go: one signs, one verifies."""

    name = "sigstore-go"
    compares_subjects = True

    def __init__(self, sign: Path, verify: Path) -> None:
        self._sign, self._verify = sign, verify

    def sign(self, form: Form, bench: Bench) -> Made:
        command: list[object] = [self._sign, "-trusted-root", bench.stack.trusted_root]
        command += ["-signing-config", bench.signing_config(form)]
        if form.log != "none":
            command += ["-rekor", "-tsa"]
        if form.by == "identity":
            command += ["-id-token", bench.token(form)]
        if form.content == "attestation":
            command += ["-in-toto", bench.write("statement.json", bench.statement())]
        else:
            command += [bench.write("m.bin", bench.artifact)]
        done = run(command)
        assert done.returncode == 0, done.stderr
        # It makes its key anew each time, and prints it before the bundle.
        (pem,) = _PEM.findall(done.stdout)
        who = bench.who(form) if form.by == "identity" else Who(key=PublicKey.from_pem(pem.encode()))
        return Made(bundle=done.stdout.splitlines()[-1].encode(), who=who)

    def verify(self, form: Form, bench: Bench, checks: Sequence[Check]) -> list[str]:
        return [self._verified(form, bench, check) for check in checks]

    def _verified(self, form: Form, bench: Bench, check: Check) -> str:
        command: list[object] = [self._verify, "-trustedrootJSONpath", bench.stack.trusted_root]
        command += ["-artifact", bench.write("m.bin", check.artifact)]
        if form.log == "none":
            command += ["-requireTlog=false", "-requireTimestamp=false"]
        if check.who.key is not None:
            command += ["-requireCTlog=false", "-publicKey", bench.write("key.pub", check.who.key.pem)]
        else:
            command += ["-expectedIssuer", check.who.issuer, "-expectedSAN", check.who.san]
        done = run([*command, bench.write("ours.json", check.bundle)])
        if form.log == "none" and _NO_WITNESS in done.stderr:
            raise NoWay("sigstore-go's example verifier asks for a witness.")
        return (done.stderr or "failed") if done.returncode else ""


_NO_WITNESS = "when initializing a new Verifier, you must specify at least one of"


@pytest.fixture(scope="module")
def sigstore_go() -> SigstoreGo:
    return found(lambda: SigstoreGo(binary("sigstore-go-sign"), binary("sigstore-go-verify")))


@pytest.mark.parametrize("form", FORMS["they"], ids=lambda form: form.id)
def test_what_they_sign_is_verified_here(form: Form, sigstore_go: SigstoreGo, bench: Bench) -> None:
    they_sign(sigstore_go, form, bench)


@pytest.mark.parametrize("form", FORMS["we"], ids=lambda form: form.id)
def test_what_we_sign_is_verified_there(form: Form, sigstore_go: SigstoreGo, bench: Bench) -> None:
    we_sign(sigstore_go, form, bench)
