"""Which authorities, logs and clocks are believed, and when? Old trust, retired services, parts of two roots."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from glasswing_attest import Trust, attest
from glasswing_attest.testing import Clock, LeafOptions, VirtualSigstore
from glasswing_attest.trust.root import TrustedKey
from glasswing_attest.trust.sigstore import Window
from tests.attacks.corpus import Pair, attack
from tests.attacks.site import (
    AT,
    DAY,
    HOUR,
    INPUTS,
    ISSUER,
    MODEL,
    PEOPLE,
    RECORD,
    SOURCE,
    Watched,
    key,
    question,
    run,
    trusted,
)
from tests.chains import FINISHED, STARTED, provenance

ROOT: dict[str, Any] = {"rule": "nodes.model", "subject": "model model"}


@attack(
    "Trust-root rollback",
    code="unavailable.trust-expired",
    verdict="undecided",
    variants={"an-hour": HOUR, "a-year": 365 * DAY},
)
def old_trust_file(age: timedelta) -> Pair:
    """An old trust file is served, which knows keys that have been taken out since. It ends on a day."""
    current = replace(trusted(*PEOPLE), expires=AT + HOUR)
    return question(trust=current), question(trust=replace(current, expires=AT - age))


@attack("Trust-root rollback", code="verification.key-untrusted", **ROOT)
def key_that_was_taken_out() -> Pair:
    """Evidence is by a key that the current trust has under no name any more."""
    new = TrustedKey(name="trainer", key=key("trainer-2026").public_key)
    trust = Trust(keys=(*trusted("data-team", "developer").keys, new))
    honest = question(run(by="trainer-2026"), RECORD, SOURCE, trust=trust)
    return honest, question(run(), RECORD, SOURCE, trust=trust)


RETIRED = {"authority": "authorities", "log": "logs", "clock": "clocks"}


def retired(services: str) -> Pair:
    """Evidence by a service that ended just when it signed, and by one that had ended a second before."""
    site = Watched(keyless=True)
    early = {"record": site.record(STARTED - DAY), "source": site.source(STARTED - DAY)}
    on_time, late = site.run(FINISHED), site.run(FINISHED + timedelta(seconds=1))
    for service in getattr(site.sigstore, services):
        service.window = Window(start=STARTED - 60 * DAY, end=FINISHED)
    honest = site.question(on_time, *early.values())
    return honest, replace(honest, evidence=(late, *early.values()))


@attack("Trust-root rollback", code="verification.outside-validity", **ROOT, variants=RETIRED)
def retired_service(services: str) -> Pair:
    """A service of the Sigstore, retired since its key may have leaked, vouches on."""
    return retired(services)


@attack("Trust-root rollback", code="verification.certificate", **ROOT)
def retired_certificate_log() -> Pair:
    """A certificate log, retired since its key may have leaked, promises on."""
    return retired("ct_logs")


def mixed(certificate: str, promise: str, log: str, clock: str) -> Pair:
    """The trainer's run, with each part from the one or from the other of two roots that are trusted."""
    roots = {name: VirtualSigstore(name, clock=Clock(STARTED - 30 * DAY)) for name in ("one", "two")}
    site = Watched(keyless=True)
    site.sigstore = roots["one"]
    evidence = (site.run(), site.record(), site.source())
    trust = Trust(roots=tuple(sigstore.root() for sigstore in roots.values()))

    def pinned(plain: dict[str, Any]) -> None:
        plain["identities"] = {n: {"issuer": ISSUER, "san": f"{n}@example.com", "root": "one"} for n in PEOPLE}

    for sigstore in roots.values():
        sigstore.clock.set(FINISHED)
    signer = roots[certificate].signer(
        "trainer@example.com",
        log=roots[log].log("v2"),
        stamps=roots[clock].clocks,
        leaf=LeafOptions(ct_logs=roots[promise].ct_logs),
    )
    forged = attest(MODEL, provenance(*INPUTS), signer=signer).bytes
    honest = question(*evidence, policy=site.policy(pinned), trust=trust)
    return honest, replace(honest, evidence=(forged, *evidence[1:]))


@attack(
    "Trust-root mixing",
    code="verification.not-logged",
    **ROOT,
    variants={"log": ("one", "one", "two", "one"), "log-and-clock": ("one", "one", "two", "two")},
)
def log_of_another_root(parts: tuple[str, str, str, str]) -> Pair:
    """Two roots are trusted, one of them for something else, and Mallory owns that one's log."""
    return mixed(*parts)


@attack("Trust-root mixing", code="verification.time-unproven", **ROOT)
def clock_of_another_root() -> Pair:
    """The clock of the other root says what Mallory likes."""
    return mixed("one", "one", "one", "two")


@attack(
    "Trust-root mixing",
    code="verification.certificate",
    **ROOT,
    variants={
        "authority": ("two", "one", "one", "one"),
        "promise": ("one", "two", "one", "one"),
        "authority-and-promise": ("two", "two", "one", "one"),
    },
)
def authority_of_another_root(parts: tuple[str, str, str, str]) -> Pair:
    """The authority or the certificate log of the other root vouches for the trainer's name."""
    return mixed(*parts)


@attack("Trust-root mixing", code="policy.signed-by", rule="nodes.model.signed_by", subject="model model")
def everything_of_another_root() -> Pair:
    """All is of the other root, which gives the trainer's name to Mallory."""
    return mixed("two", "two", "two", "two")
