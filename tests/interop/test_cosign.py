"""Do cosign and we accept each other's signatures?"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.interop.exchange import SAID, Bench, Check, Made, run, they_sign, we_sign
from tests.interop.matrix import FORMS, Form
from tests.interop.peers import found
from tests.stack import binary


class Cosign:
    """The command `cosign`."""

    name = "cosign"
    compares_subjects = True

    def __init__(self, program: Path) -> None:
        self._program = program

    def sign(self, form: Form, bench: Bench) -> Made:
        bundle = bench.folder / "theirs.json"
        command: list[object] = ["--bundle", bundle, "--signing-config", bench.signing_config(form), "--yes"]
        command += ["--trusted-root", bench.stack.trusted_root]
        if form.by == "key":
            self._import(bench)
            command += ["--key", bench.folder / "cosign.key"]
        else:
            command += ["--identity-token", bench.write("token", bench.token(form))]
        if form.content == "attestation":
            command += ["--type", SAID.predicate_type, "--predicate", bench.write("predicate.json", SAID.to_json())]
        done = self._run(bench, _NOUNS[form.content][0], *command, bench.write("m.bin", bench.artifact))
        assert done == "", done
        return Made(bundle=bundle.read_bytes(), who=bench.who(form))

    def verify(self, form: Form, bench: Bench, checks: Sequence[Check]) -> list[str]:
        return [self._verify(form, bench, check) for check in checks]

    def _verify(self, form: Form, bench: Bench, check: Check) -> str:
        command: list[object] = ["--bundle", bench.write("ours.json", check.bundle)]
        command += ["--insecure-ignore-tlog"] if form.log == "none" else ["--trusted-root", bench.stack.trusted_root]
        if form.log != "none":
            command += ["--use-signed-timestamps"]
        if check.who.key is not None:
            command += ["--key", bench.write("key.pub", check.who.key.pem)]
        else:
            command += ["--certificate-identity", check.who.san, "--certificate-oidc-issuer", check.who.issuer]
        if form.content == "attestation":
            command += ["--type", SAID.predicate_type]
        return self._run(bench, _NOUNS[form.content][1], *command, bench.write("m.bin", check.artifact))

    def _import(self, bench: Bench) -> None:
        bench.key.write(bench.folder / "key.pem")
        said = self._run(
            bench, "import-key-pair", "--key", bench.folder / "key.pem", "--output-key-prefix", bench.folder / "cosign"
        )
        assert said == "", said

    def _run(self, bench: Bench, *command: object) -> str:
        """Why it failed, or nothing."""
        # It keeps its key behind a password, and asks for one otherwise; what it would fetch lies below TUF_ROOT.
        environment = {**os.environ, "COSIGN_PASSWORD": "throwaway", "TUF_ROOT": str(bench.folder / "tuf")}
        done = run([self._program, *command], environment=environment)
        return (done.stderr or "failed") if done.returncode else ""


_NOUNS = {"attestation": ("attest-blob", "verify-blob-attestation"), "artifact": ("sign-blob", "verify-blob")}


@pytest.fixture(scope="module")
def cosign() -> Cosign:
    return Cosign(found(lambda: binary("cosign")))


@pytest.mark.parametrize("form", FORMS["they"], ids=lambda form: form.id)
def test_what_they_sign_is_verified_here(form: Form, cosign: Cosign, bench: Bench) -> None:
    they_sign(cosign, form, bench)


@pytest.mark.parametrize("form", FORMS["we"], ids=lambda form: form.id)
def test_what_we_sign_is_verified_there(form: Form, cosign: Cosign, bench: Bench) -> None:
    we_sign(cosign, form, bench)
