"""Who signed, and is that somebody for whom the policy asks? Keys and certificates of the wrong people."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest import DataRecord, KeySigner, Trust, attest
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.trust.root import TrustedKey
from tests.attacks.corpus import Pair, Question, attack
from tests.attacks.site import (
    DATA,
    EVIDENCE,
    INPUTS,
    ISSUER,
    MALLORY,
    MODEL,
    PROVENANCE,
    RECORD,
    RUN,
    SOURCE,
    Watched,
    alone,
    by,
    changed,
    instead,
    key,
    payload_of,
    question,
    run,
    said,
    sealed,
    summarised,
    summary,
    trusted,
    watched,
)
from tests.chains import FINISHED, bare, provenance

ROOT: dict[str, Any] = {"rule": "nodes.model", "subject": "model model"}
FOLDER = "evidence"


def material(evidence: bytes, **members: Any) -> bytes:
    """The bundle, with other verification material."""
    return changed(evidence, lambda plain: plain["verificationMaterial"].update(members))


# --- trust that is brought along -------------------------------------------------------------------------------------


@attack("Self-asserted trust", code="verification.signature", **ROOT)
def hint_of_the_trusted_key() -> Pair:
    """A stranger's signature says that it is by the trusted key."""
    hint = key("trainer").public_key.hint
    return question(), question(*instead(RUN, material(run(by=MALLORY), publicKey={"hint": hint})))


@attack("Self-asserted trust", code="verification.key-untrusted", **ROOT)
def key_within_the_bundle() -> Pair:
    """The bundle brings the key along by which it verifies."""
    raw = base64.b64encode(key(MALLORY).public_key.der).decode()
    told = {"hint": key(MALLORY).public_key.hint, "rawBytes": raw, "keyDetails": "PKIX_ED25519"}
    return question(), question(*instead(RUN, material(run(by=MALLORY), publicKey=told)))


@attack("Self-asserted trust", code="verification.key-untrusted", **ROOT)
def name_of_the_trusted_key_as_keyid() -> Pair:
    """A bare envelope names its signer as the trust file does."""
    return question(), question(*instead(RUN, bare(run(by=MALLORY), keyids=["trainer"])))


def pretended(**how: Any) -> bytes:
    """The run, by a certificate of somebody's own authority, which gives anybody's name to anybody."""
    own = Watched(keyless=True)
    return own.run(**how)


@attack("Self-asserted trust", code="verification.not-logged", **ROOT)
def certificate_of_an_own_authority() -> Pair:
    """Mallory has an authority, logs and a clock of her own, which say that she is the trainer."""
    honest = watched(keyless=True).question()
    return honest, watched(keyless=True).question(pretended(), *honest.evidence[1:])


@attack("Self-asserted trust", code="malformed.field", **ROOT)
def root_within_the_bundle() -> Pair:
    """The bundle brings its own root certificate along."""
    own = Watched(keyless=True)
    chain = [{"rawBytes": base64.b64encode(c).decode()} for c in _chain(own.sigstore)]
    mine = own.run()
    plain = json.loads(mine)
    leaf = plain["verificationMaterial"].pop("certificate")
    plain["verificationMaterial"]["x509CertificateChain"] = {"certificates": [leaf, *chain]}
    plain["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    honest = watched(keyless=True).question()
    return honest, watched(keyless=True).question(json.dumps(plain).encode(), *honest.evidence[1:])


def _chain(sigstore: VirtualSigstore) -> list[bytes]:
    return [certificate.public_bytes(Encoding.DER) for certificate in sigstore.authorities[0].chain]


@attack("Self-asserted trust", code="verification.key-untrusted", **ROOT)
def everything_but_a_key() -> Pair:
    """A whole chain, perfect but for who signed it."""
    mine = (run(by=MALLORY), said(DATA, DataRecord(name="penguins"), MALLORY))
    return question(), question(*mine, RECORD, SOURCE)


@attack("Policy beside the evidence", code="verification.key-untrusted", **ROOT)
def trust_and_policy_in_the_folder_of_the_evidence() -> Pair:
    """The folder of evidence holds a trust file that believes Mallory, and a policy that asks for nothing else."""
    own = Trust.of(trainer=key(MALLORY).public_key, **{"data-team": key("data-team").public_key}).to_json()
    lenient = json.dumps(alone({**PROVENANCE, "signed_by": by("trainer")})).encode()
    beside = {f"{FOLDER}/{name}": own for name in ("trust.json", "trust.yaml")}
    beside |= {f"{FOLDER}/{name}": lenient for name in ("policy.json", "policy.yaml", "glasswing.json")}
    items = {f"{FOLDER}/{number}.json": item for number, item in enumerate(EVIDENCE)}
    forged = {**items, f"{FOLDER}/0.json": run(by=MALLORY)}
    return question(FOLDER, files={**items, **beside}), question(FOLDER, files={**forged, **beside})


# --- trusted, but not for this ---------------------------------------------------------------------------------------


@attack(
    "Verifier self-attestation",
    code="policy.signed-by",
    rule="nodes.model.signed_by",
    subject="model model",
    variants={"data-team": "data-team", "developer": "developer"},
)
def provenance_by_another_role(name: str) -> Pair:
    """Somebody who is trusted with something else signs the provenance."""
    return question(), question(*instead(RUN, run(by=name)))


@attack(
    "Verifier self-attestation", code="policy.signed-by", rule="nodes.dataset.signed_by", subject="dataset penguins"
)
def record_by_the_trainer() -> Pair:
    """The trainer vouches for the data that he used."""
    return question(), question(*instead(RECORD, said(DATA, DataRecord(name="penguins"), "trainer")))


def verified_by_two(run_by: str, summary_by: str) -> Question:
    """A policy that asks a trainer for provenance, and a verifier for a summary of the same model."""
    needs = {
        "predicate": "https://slsa.dev/verification_summary/v1",
        "signed_by": by("developer"),
        "expect": {"verifier": "https://scs.example/verifier", "resource": "pkg:generic/model"},
    }
    summed = summary(MODEL, summary_by, resourceUri="pkg:generic/model", verifiedLevels=["SLSA_BUILD_LEVEL_3"])
    return question(run(by=run_by), summed, policy=alone(PROVENANCE, needs))


@attack("Verifier self-attestation", code="policy.signed-by", rule="nodes.model.signed_by", subject="model model")
def summary_by_the_builder() -> Pair:
    """The builder signs the summary that says that it was verified."""
    return verified_by_two("trainer", "developer"), verified_by_two("trainer", "trainer")


@attack("Verifier self-attestation", code="policy.signed-by", rule="nodes.model.signed_by", subject="model model")
def provenance_by_the_verifier() -> Pair:
    """The verifier signs the provenance that it is to verify."""
    return verified_by_two("trainer", "developer"), verified_by_two("developer", "developer")


@attack("Self-certified source", code="policy.signed-by", rule="nodes.code.signed_by", subject="code code")
def source_summary_by_the_trainer() -> Pair:
    """The trainer certifies the source of his own commit."""
    asked = summarised()
    honest = question(*instead(SOURCE, summary()), policy=asked)
    return honest, question(*instead(SOURCE, summary(signer="trainer")), policy=asked)


@attack("Self-certified source", code="policy.expect", rule="nodes.code.expect.verifier", subject="code code")
def source_summary_of_another_verifier() -> Pair:
    """Whoever may sign for the source verifier names another one."""
    asked = summarised()
    honest = question(*instead(SOURCE, summary()), policy=asked)
    return honest, question(*instead(SOURCE, summary(verifier={"id": "https://me.example"})), policy=asked)


# --- certificates of other people ------------------------------------------------------------------------------------


@attack(
    "Cross-tenant replay",
    code="policy.signed-by",
    rule="nodes.model.signed_by",
    subject="model model",
    variants={
        "other-name": Holder(san="mallory@example.com", kind="email"),
        "longer-name": Holder(san="trainer@example.com.evil", kind="email"),
        "other-issuer": Holder(san="trainer@example.com", kind="email", issuer="https://accounts.evil.example"),
        "issuer-with-slash": Holder(san="trainer@example.com", kind="email", issuer=f"{ISSUER}/"),
        "upper-case": Holder(san="Trainer@example.com", kind="email"),
        "tag": Holder(san="trainer+x@example.com", kind="email"),
        "longer-domain": Holder(san="trainer@example.com.", kind="email"),
        "uri": Holder(san="mailto:trainer@example.com", kind="uri"),
    },
)
def certificate_of_somebody_else(holder: Holder) -> Pair:
    """A certificate of the trusted authority, for a name that is almost the wanted one."""
    site = watched(keyless=True)
    honest = site.question()
    site.sigstore.clock.set(FINISHED)
    other = attest(MODEL, provenance(*INPUTS), signer=site.sigstore.signer(holder, log="v2")).bytes
    return honest, site.question(other, *honest.evidence[1:])


GITHUB = {
    "issuer": "https://token.actions.githubusercontent.com",
    "github": {
        "repository": "acme/train",
        "repository_id": 4711,
        "owner_id": 42,
        "workflow": "release.yml",
        "ref": "refs/tags/v*",
        "trigger": "push",
        "runner": "github-hosted",
    },
}
TAG = {"repository_id": "4711", "owner_id": "42", "ref": "refs/tags/v1.0"}


def released(repository: str = "acme/train", **claims: str) -> Question:
    """A model whose provenance a GitHub workflow signed."""
    site = watched(keyless=True)
    site.sigstore.clock.set(FINISHED)
    holder = Holder.github(repository, **{**TAG, **claims})
    made = attest(MODEL, provenance(), signer=site.sigstore.signer(holder, log="v2")).bytes
    asked = alone(PROVENANCE, identities={"trainer": GITHUB})
    del asked["times"]
    return site.question(made, policy=asked)


@attack(
    "Cross-tenant replay",
    code="policy.signed-by",
    rule="nodes.model.signed_by",
    subject="model model",
    variants={
        "fork": ("mallory/train", {"repository_id": "9", "owner_id": "9"}),
        "name-taken-over": ("acme/train", {"repository_id": "9999"}),
        "owner-taken-over": ("acme/train", {"owner_id": "9999"}),
        "branch": ("acme/train", {"ref": "refs/heads/main"}),
        "branch-called-like-a-tag": ("acme/train", {"ref": "refs/heads/refs/tags/v1.0"}),
        "tag-with-slash": ("acme/train", {"ref": "refs/tags/v1/../../heads/main"}),
        "pull-request": ("acme/train", {"trigger": "pull_request_target"}),
    },
)
def github_workflow_of_somebody_else(changes: tuple[str, dict[str, str]]) -> Pair:
    """A workflow of the same platform and issuer, but not this repository's release."""
    repository, claims = changes
    return released(), released(repository, **claims)


@attack(
    "Builder impersonation",
    code="policy.signed-by",
    rule="nodes.model.signed_by",
    subject="model model",
    variants={"other-workflow": {"workflow": "test.yml"}, "self-hosted": {"runner": "self-hosted"}},
)
def github_workflow_that_is_no_builder(claims: dict[str, str]) -> Pair:
    """A customer's own job on the platform claims to be the platform's builder."""
    return released(), released(**claims)


# --- thresholds ------------------------------------------------------------------------------------------------------

TWO: dict[str, Any] = {"threshold": 2, "of": ["trainer", "developer", "data-team"], "over": "same_statement"}
OF_ONE_TYPE = {**TWO, "over": "same_type"}
TOO_FEW: dict[str, Any] = {
    "code": "policy.threshold",
    "rule": "nodes.model.signed_by",
    "subject": "model model",
}


def quorum(*evidence: bytes, rule: dict[str, Any] = TWO, **more: Any) -> Question:
    """Is it the word of two of three?"""
    return question(*evidence, policy=alone({**PROVENANCE, "signed_by": rule}), **more)


def endorsed(*names: str) -> list[bytes]:
    """The very same payload, signed by each."""
    return [sealed(payload_of(RUN), name) for name in names]


@attack("Key compromise", **TOO_FEW, variants={"same-statement": TWO, "same-type": OF_ONE_TYPE})
def one_stolen_key(rule: dict[str, Any]) -> Pair:
    """Mallory has the trainer's key, and signs as often as she likes, also different statements."""
    other = run(invocation_id="urn:uuid:00000000-0000-4000-8000-000000000002")
    stolen = (RUN, *endorsed("trainer"), other, bare(RUN, RUN))
    return quorum(*endorsed("trainer", "developer"), rule=rule), quorum(*stolen, rule=rule)


@attack("Key compromise", **TOO_FEW)
def two_signers_of_two_statements() -> Pair:
    """Two sign, but not the same statement, where the policy wants one that both have read."""
    other = run(by="developer", invocation_id="urn:uuid:00000000-0000-4000-8000-000000000002")
    return quorum(*endorsed("trainer", "developer")), quorum(RUN, other)


@attack("Two keys, one person", **TOO_FEW)
def one_key_under_two_names() -> Pair:
    """One key stands in the trust under two names, and signs under both."""
    public = key("trainer").public_key
    trust = Trust(
        keys=(*trusted("data-team").keys, *(TrustedKey(name=n, key=public) for n in ("trainer", "developer")))
    )
    twice = bare(*endorsed("trainer", "trainer"), keyids=["trainer", "developer"])
    honest = quorum(bare(*endorsed("trainer", "data-team")), trust=trust)
    return honest, quorum(twice, *endorsed("trainer"), trust=trust)


@attack("Two keys, one person", **TOO_FEW)
def one_identity_under_two_keys() -> Pair:
    """One person gets two certificates, for two keys, and two names of the policy fit that person."""
    site = watched(keyless=True)
    names = {
        "trainer": {"issuer": ISSUER, "san": "trainer@example.com"},
        "developer": {"issuer": ISSUER, "san": "trainer@*"},
        "data-team": {"issuer": ISSUER, "san": "data-team@example.com"},
    }
    asked = alone({**PROVENANCE, "signed_by": OF_ONE_TYPE}, identities=names)
    del asked["times"]
    twice = (site.run(), site.run())
    return site.question(site.run(), site.run(by="data-team"), policy=asked), site.question(*twice, policy=asked)


@attack("Two keys, one person", **TOO_FEW)
def one_key_by_itself_and_in_a_certificate() -> Pair:
    """One key signs by itself, and once more through a certificate that somebody got for it."""
    site = watched(keyless=True)
    site.sigstore.clock.set(FINISHED)
    person = site.sigstore.signer("trainer@example.com", log="v2")
    trust = Trust(
        roots=site.trust().roots,
        keys=tuple(
            TrustedKey(name=n, key=k) for n, k in (("t", person.public_key), ("d", key("developer").public_key))
        ),
    )
    names = {
        "trainer": {"issuer": ISSUER, "san": "trainer@example.com"},
        "developer": {"key": "t"},
        "data-team": {"key": "d"},
    }
    asked = alone({**PROVENANCE, "signed_by": OF_ONE_TYPE}, identities=names)
    certified = attest(MODEL, provenance(*INPUTS), signer=person).bytes
    plain = _by_key(person)
    honest = site.question(certified, run(by="developer"), policy=asked, trust=trust)
    return honest, site.question(certified, plain, policy=asked, trust=trust)


def _by_key(person: Any) -> bytes:
    """The run, signed by the key alone of somebody who also has certificates for it."""
    return attest(MODEL, provenance(*INPUTS), signer=KeySigner(person._private)).bytes


# --- several signatures ----------------------------------------------------------------------------------------------


@attack("Multi-signature games", code="verification.key-untrusted", **ROOT)
def strangers_signatures_only() -> Pair:
    """Two signatures, named as trusted keys, by nobody who is."""
    strange = bare(run(by=MALLORY), run(by="stranger"), keyids=["trainer", "developer"])
    return question(), question(*instead(RUN, strange))


@attack("Multi-signature games", **TOO_FEW)
def one_signature_three_times() -> Pair:
    """One signature stands three times, under the names of three keys."""
    thrice = bare(RUN, RUN, RUN, keyids=["trainer", "developer", "data-team"])
    return quorum(bare(*endorsed("trainer", "developer"))), quorum(thrice)


@attack("Multi-signature games", **TOO_FEW)
def rogue_signature_fills_the_threshold() -> Pair:
    """A stranger's valid signature stands in the place of the second one."""
    games = bare(*endorsed("trainer", MALLORY), keyids=["trainer", "developer"])
    return quorum(bare(*endorsed("trainer", "developer"))), quorum(games)


@attack("Multi-signature games", variants={"first": 0, "last": 1})
def rogue_signature_hides_the_honest_one(place: int) -> Pair:
    """A stranger's signature stands beside the honest one, so that a reader of one entry alone says no."""
    honest, rogue = endorsed("trainer", MALLORY)
    both = [rogue, honest] if place == 0 else [honest, rogue]
    return question(), question(*instead(RUN, bare(*both)))
