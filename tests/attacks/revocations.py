"""Is the signer still believed? Lists that are withheld, old or of somebody else, and signers who stand on them."""

import base64
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from tests.attacks.corpus import Pair, Question, attack
from tests.attacks.site import (
    AT,
    BOTH_WAYS,
    DAY,
    EVIDENCE,
    HOUR,
    INPUTS,
    ISSUER,
    MALLORY,
    MODEL,
    PEOPLE,
    RUN,
    changed,
    instead,
    key,
    payload_of,
    question,
    sealed,
    trusted,
    watched,
)
from tests.chains import FINISHED, STARTED, bare, provenance

ROOT: dict[str, Any] = {"rule": "nodes.model", "subject": "model model"}


def listing(
    *entries: Revocation, by: str = "security", version: int = 7, issued: datetime = AT - HOUR, life: timedelta = DAY
) -> bytes:
    """A revocation list."""
    document = RevocationList.of(entries, version=version, issued=issued, expires=issued + life)
    return key(by).seal(document.to_json(), REVOCATIONS_TYPE)


def of_trainer(since: datetime, *, keyless: bool, types: tuple[str, ...] = ()) -> Revocation:
    """The trainer is no longer believed since then."""
    if keyless:
        return Revocation(since=since, predicate_types=types, issuer=ISSUER, san="trainer@example.com")
    return Revocation(since=since, predicate_types=types, key=key("trainer").public_key.fingerprint)


def asked(*evidence: bytes, keyless: bool, **more: Any) -> Question:
    """A question to somebody whose trust names who signs the list."""
    site = watched(keyless=keyless)
    return site.question(*evidence, trust=site.trust(listed=True), **more)


SINCE = {
    "at-that-time": FINISHED,
    "a-second-before": FINISHED - timedelta(seconds=1),
    "long-before": STARTED - 20 * DAY,
}


@attack(
    "Revoked identity or key",
    code="verification.revoked",
    **ROOT,
    variants={f"{how}-{name}": (keyless, since) for how, keyless in BOTH_WAYS.items() for name, since in SINCE.items()},
)
def signed_after_the_revocation(how: tuple[bool, datetime]) -> Pair:
    """What was signed at the time of the revocation or later is served; the honest run is a second older."""
    keyless, since = how
    site = watched(keyless=keyless)
    rest = (site.record(STARTED - 29 * DAY), site.source(STARTED - 29 * DAY))
    # The same list for both: the honest run is one that was signed before it.
    served = listing(of_trainer(since, keyless=keyless))
    earlier = site.said(*_run_before(since), "trainer", since - timedelta(seconds=1))
    honest = asked(earlier, *rest, keyless=keyless, revocations=served)
    return honest, asked(site.run(), *rest, keyless=keyless, revocations=served)


def _run_before(since: datetime) -> tuple[Any, Any]:
    end = min(FINISHED, since) - timedelta(seconds=1)
    return MODEL, provenance(*INPUTS, started_on=end - HOUR, finished_on=end)


@attack("Revoked identity or key", code="verification.revoked", **ROOT, variants=BOTH_WAYS)
def signed_again_by_who_left(keyless: bool) -> Pair:
    """Who left signs once more, and says that it was long ago."""
    site = watched(keyless=keyless)
    served = listing(of_trainer(FINISHED + HOUR, keyless=keyless))
    rest = (site.record(), site.source())
    honest = asked(site.run(), *rest, keyless=keyless, revocations=served)
    return honest, asked(site.run(FINISHED + DAY), *rest, keyless=keyless, revocations=served)


@attack("Revoked identity or key", code="verification.revoked", **ROOT, variants=BOTH_WAYS)
def revoked_for_this_type(keyless: bool) -> Pair:
    """The trainer is revoked for provenance, and still believed for what else he signs."""
    site = watched(keyless=keyless)
    types = (PROVENANCE_V1,)
    served = listing(of_trainer(FINISHED + HOUR, keyless=keyless, types=types))
    rest = (site.record(), site.source())
    honest = asked(site.run(), *rest, keyless=keyless, revocations=served)
    return honest, asked(site.run(FINISHED + HOUR), *rest, keyless=keyless, revocations=served)


def unwitnessed(*evidence: bytes, served: bytes) -> Question:
    """A question about keys without a witness."""
    trust = replace(trusted(*PEOPLE, "security"), revocation_signers=("security",))
    return question(*(instead(RUN, *evidence) if evidence else EVIDENCE), trust=trust, revocations=served)


SOMEDAY = Revocation(since=AT + 365 * DAY, key=key("trainer").public_key.fingerprint)


@attack(
    "Revoked identity or key",
    code="verification.revoked",
    **ROOT,
    variants={"bundle": RUN, "bare-envelope": bare(RUN), "endorsed-anew": sealed(payload_of(RUN), "trainer")},
)
def no_time_against_a_revocation(evidence: bytes) -> Pair:
    """Nobody witnessed the key's signatures, so none can be shown to be older than its revocation, however late."""
    return unwitnessed(evidence, served=listing()), unwitnessed(evidence, served=listing(SOMEDAY))


GOOD = listing(version=7)


def _stripped() -> bytes:
    def change(plain: dict[str, Any]) -> None:
        plain["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()

    return changed(GOOD, change)


def _rewritten() -> bytes:
    payload = base64.b64encode(RevocationList.of((), version=9, issued=AT, expires=AT + DAY).to_json()).decode()
    return changed(GOOD, lambda plain: plain["dsseEnvelope"].update(payload=payload))


@attack(
    "Revocation withheld or rolled back",
    code="unavailable.revocations",
    verdict="undecided",
    subject="model model",
    variants={
        "withheld": None,
        "older": listing(version=6),
        "expired": listing(version=8, issued=AT - 2 * DAY),
        "of-the-future": listing(version=8, issued=AT + HOUR),
        "of-a-stranger": listing(version=8, by=MALLORY),
        "of-the-trainer": listing(version=8, by="trainer"),
        "signature-removed": _stripped(),
        "rewritten": _rewritten(),
        "something-else-signed": sealed(b"{}", "security"),
        "a-statement": RUN,
        "empty-object": b"{}",
    },
)
def list_that_is_none(served: bytes | None) -> Pair:
    """The current list, in which somebody stands, is not served, but something else or nothing."""
    honest = replace(unwitnessed(served=GOOD), revocations_seen=7)
    return honest, replace(honest, revocations=served)
