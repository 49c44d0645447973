"""What does somebody see who prints a value: in a log, in a debugger, in a failing test?"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from glasswing_attest import Attestation, KeySigner, Manifest, ModelRecord, Policy, Trust, Verifier, attest
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.manifest import FileEntry
from glasswing_attest.bundle import KeyHint
from glasswing_attest.errors import counted
from glasswing_attest.signing.key import ALGORITHMS
from glasswing_attest.testing import VirtualSigstore
from tests.chains import honest, signer, statement, tree

CHAIN = honest()
SIGSTORE = VirtualSigstore()
CERTIFIED = attest(CHAIN.model, ModelRecord(name="m"), signer=SIGSTORE.signer("alice@example.com"))
HOSTILE = "\x1b[2J\n\u202e" + "x" * 100_000


def test_a_report_is_one_line_and_prints_as_its_text() -> None:
    report = CHAIN.assess()
    short = CHAIN.model.digests.label
    assert repr(report) == f"Report(accepted: model penguin-classifier {short}, 2 findings, 3 items of evidence)"
    assert str(report) == f"{report}" == report.to_text()
    refused = CHAIN.assess([CHAIN.run])
    assert repr(refused) == f"Report(refused: model penguin-classifier {short}, 1 finding, 1 item of evidence)"
    undecided = CHAIN.assess(limits=replace(Verifier(policy=CHAIN.policy, trust=CHAIN.trust).limits, nodes=1))
    assert repr(undecided).startswith("Report(undecided: model")


def test_an_attestation_says_what_it_is_and_that_nobody_checked_it() -> None:
    hint = signer("trainer").public_key.hint
    assert repr(CHAIN.run) == f"Attestation(unverified: https://slsa.dev/provenance/v1, 1 subject, key {hint})"
    assert "1 subject, certificate sha256:" in repr(CERTIFIED)
    bare = json.dumps(json.loads(CHAIN.run.bytes)["dsseEnvelope"]).encode()
    assert repr(Attestation.parse(bare)).endswith("1 subject, a key)")


def test_an_attestation_whose_payload_is_no_statement_has_a_repr_too() -> None:
    for payload in (b"", b"{}", b"\xff", b"[" * 9):
        found = Attestation.parse(signer("trainer").seal(payload, "text/plain"))
        assert repr(found).startswith("Attestation(unverified: text/plain, key ")


def test_what_decides_is_told_by_its_names() -> None:
    assert repr(CHAIN.policy) == str(CHAIN.policy)
    assert repr(CHAIN.policy) == "Policy(nodes model, dataset, code; identities trainer, data-team, developer)"
    named = CHAIN.policy.model_copy(update={"name": "prod"})
    assert repr(named).startswith("Policy(prod; nodes model, ")
    assert repr(CHAIN.trust) == "Trust(keys data-team, developer, trainer)"
    assert (
        repr(replace(SIGSTORE.trust(), keys=Trust.of(a=signer("trainer").public_key).keys))
        == "Trust(keys a; roots virtual)"
    )
    verifier = Verifier(policy=CHAIN.policy, trust=CHAIN.trust, evidence=CHAIN.evidence)
    assert repr(verifier) == f"Verifier({CHAIN.policy!r}, {CHAIN.trust!r}, 3 pieces of evidence)"
    one = replace(verifier, evidence="evidence/")
    assert repr(one).endswith("one piece of evidence)")


def test_what_is_counted_is_not_listed() -> None:
    many = tree("dataset", {f"{n}.csv": b"x" for n in range(3000)})
    declared = Manifest.declared("model", DigestSet.of(sha256="ab" * 32))
    assert repr(many) == f"Manifest(dataset dataset {many.digests.label}, 3000 files)"
    assert repr(declared) == f"Manifest(model {declared.digests.label}, declared)"
    trust = Trust.of({f"k{n:04}": signer("trainer").public_key for n in range(1000)})
    assert repr(trust) == f"Trust(keys {', '.join(f'k{n:04}' for n in range(8))} …)"
    assert repr(SIGSTORE.root()) == "Root(virtual: 1 authority, 2 logs, 1 certificate log, 1 clock)"


def test_nothing_that_somebody_else_wrote_reaches_a_terminal_or_fills_it() -> None:
    subjects = [{"name": HOSTILE, "digest": {"sha256": "ab" * 32}}] * 5
    said = signer("trainer").seal(statement(subjects, f"https://x/{'y' * 100_000}", {"a": HOSTILE}), "a\x1b[2J")
    hostile = Attestation.parse(said)
    hinted = replace(hostile, material=KeyHint(hint=HOSTILE))
    values: list[Any] = [hostile, hinted, hostile.envelope, hostile.bundle, replace(CHAIN.assess(), evidence=())]
    values += [CHAIN.assess([said]), CERTIFIED.bundle, CERTIFIED.statement_unverified, hostile.statement_unverified]
    for value in values:
        assert len(repr(value)) < 600, value
        assert repr(value).isprintable()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_secret_is_in_no_repr(algorithm: str) -> None:
    key = KeySigner.generate(algorithm)
    held: Any = key._device.backend
    numbers = held.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    made = attest(CHAIN.model, ModelRecord(name="m"), signer=key)
    assert repr(key).startswith("KeySigner(")
    for value in (key, [key], made, key.public_key, Trust.of(a=key.public_key)):
        for secret in (numbers[-24:], numbers[40:64]):
            assert secret.hex() not in repr(value).encode().hex()
            assert repr(secret)[2:-1] not in repr(value)
            assert secret.hex() not in repr(value)
        assert "PRIVATE" not in repr(value)


@pytest.mark.parametrize("make", [lambda: FileEntry(name="a", size=1, sha256="ab" * 32), lambda: CHAIN.model.digests])
def test_small_values_show_their_fields(make: Callable[[], object]) -> None:
    assert repr(make()).count("=") >= 1


def test_numbers_read_as_words() -> None:
    told = [counted(n, noun) for n, noun in ((0, "file"), (1, "entry"), (3, "entry"), (2, "key"))]
    assert told == ["0 files", "1 entry", "3 entries", "2 keys"]


def test_a_policy_of_many_kinds_stays_short() -> None:
    plain = json.loads(CHAIN.policy.to_json())
    plain["identities"] |= {f"i{n:03}": {"key": "k"} for n in range(200)}
    assert len(repr(Policy.model_validate(plain))) < 200
