"""Are logs and clocks of another root believed for an authority of one's own, and nothing else of it?"""

import json
from pathlib import Path

import pytest

from glasswing_attest import Trust
from glasswing_attest.errors import NotPem, TrustRefused
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.private import private_root
from glasswing_attest.trust.sigstore import Profile
from tests.private_pki import Pki

PKI = Pki()
SIGSTORE = VirtualSigstore("example")
ROOT = SIGSTORE.root()


def loaded(folder: Path, roots: str) -> Trust:
    (folder / "root.json").write_bytes(SIGSTORE.trusted_root())
    (folder / "ca.pem").write_bytes(PKI.root_pem)
    (folder / "trust.yaml").write_text(f"version: 1\nroots:\n{roots}")
    return Trust.load(folder / "trust.yaml")


def test_its_logs_and_clocks_and_nothing_else() -> None:
    made = private_root("acme", PKI.root_pem, witnesses=ROOT)
    assert (made.logs, made.clocks, made.ct_logs) == (ROOT.logs, ROOT.clocks, ())
    assert [authority.chain for authority in made.authorities] == [(PKI.root,)]
    alone = private_root("acme", PKI.root_pem)
    assert (alone.logs, alone.clocks) == ((), ())


@pytest.mark.parametrize("order", ["example, acme", "acme, example"])
def test_a_trust_file_names_them(order: str, tmp_path: Path) -> None:
    entries = {
        "example": "{file: root.json, profile: public-good}",
        "acme": "{file: ca.pem, profile: private, witnesses: example}",
    }
    trust = loaded(tmp_path, "".join(f"  {name}: {entries[name]}\n" for name in order.split(", ")))
    assert trust.root("acme").logs == ROOT.logs
    again = Trust.parse(trust.to_json(), suffix=".json")
    assert again.root("acme") == trust.root("acme")
    assert "witnesses" not in json.loads(trust.to_json())["roots"]["acme"]


@pytest.mark.parametrize(
    ("acme", "place", "found"),
    [
        ("{file: ca.pem, profile: private, witnesses: nobody}", "roots.acme.witnesses", "nobody"),
        ("{file: ca.pem, profile: private, witnesses: acme}", "roots.acme.witnesses", "acme"),
        ("{file: root.json, profile: private, witnesses: example}", "roots.acme.witnesses", "example"),
        ("{file: root.json, profile: public-good, witnesses: example}", "roots.acme.witnesses", "example"),
        ("{file: ca.pem, profile: public-good, witnesses: example}", "roots.acme.witnesses", "example"),
        (
            "{file: ca.pem, profile: {scts: 0, logs: 2, times: 1, private: true}, witnesses: example}",
            "roots.acme.profile.logs",
            2,
        ),
    ],
)
def test_what_names_no_witnesses(acme: str, place: str, found: object, tmp_path: Path) -> None:
    with pytest.raises(TrustRefused) as refused:
        loaded(tmp_path, f"  example: {{file: root.json, profile: public-good}}\n  acme: {acme}\n")
    assert (refused.value.code, refused.value.found) == ("malformed.trust", found)
    assert refused.value.where.endswith(f": {place}")


def test_certificates_that_are_none() -> None:
    with pytest.raises(NotPem) as refused:
        private_root("acme", b"none", witnesses=ROOT, profile=Profile(scts=0, logs=1, times=1, private=True))
    assert (refused.value.code, refused.value.where) == ("malformed.pem", "acme")
