"""How does a test get claims by the thousand, without a key?

A claim is a proof, and proofs are made by their checks alone. So the seals of those are borrowed here, for tests of
what follows from claims: how the walk chooses among them, and what that costs.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from glasswing_attest import Policy
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.chain.edges import Reference
from glasswing_attest.chain.refused import Refused
from glasswing_attest.chain.walk import Chain, walk
from glasswing_attest.claims import Claim, opaque, read, registry_of
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.run import PROVENANCE_V1
from glasswing_attest.statement.statement import Statement
from glasswing_attest.verification import binding, identity, timestamps
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.identity import VerifiedSigner
from glasswing_attest.verification.timestamps import VerifiedTimes, WitnessedTime
from tests.chains import BUILDER, statement

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ISSUER = "https://issuer.example"
CHECKED = "https://example.com/checked/v1"
TYPES = registry_of((opaque(CHECKED), opaque(f"{CHECKED}/more")))
RUN: Mapping[str, Any] = {"as": "run", "predicate": PROVENANCE_V1, "expect": {"builder": BUILDER}}
"""A requirement, but for who signs."""


def day(number: float) -> datetime:
    return EPOCH + timedelta(days=number)


def sha256(number: int) -> dict[str, str]:
    """The digests of a thing, by its number."""
    return {"sha256": f"{number:064x}"}


def things(numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Subjects of a statement."""
    return [{"name": f"thing-{number}", "digest": sha256(number)} for number in numbers]


def by_key(name: str, fingerprint: str = "") -> VerifiedSigner:
    """Whoever has a key of the trust."""
    fingerprint = fingerprint or name
    principal = f"key:{fingerprint}"
    return VerifiedSigner(principal=principal, names=frozenset({name}), fingerprint=fingerprint, seal=identity._SEAL)


def by_certificate(san: str, fingerprint: str) -> VerifiedSigner:
    """Whoever has a key with a certificate for this name."""
    principal = f"certificate:{ISSUER} {san}"
    return VerifiedSigner(
        principal=principal,
        names=frozenset(),
        root="root",
        issuer=ISSUER,
        san=san,
        fingerprint=fingerprint,
        seal=identity._SEAL,
    )


def by_authority(root: str, san: str, fingerprint: str) -> VerifiedSigner:
    """Whoever has a key with a certificate of a private authority, which is believed as this root."""
    return VerifiedSigner(
        principal=f"certificate:{root} {san}",
        names=frozenset(),
        root=root,
        san=san,
        fingerprint=fingerprint,
        seal=identity._SEAL,
    )


def claim(
    subjects: Sequence[Mapping[str, Any]],
    predicate: Mapping[str, Any],
    by: VerifiedSigner,
    *,
    type_: str = CHECKED,
    witnessed: Sequence[float] = (),
    needed: int = 1,
) -> Claim:
    """What somebody said of these, with the days that witnesses tell, of which so many are asked for."""
    said = Statement.parse_unverified(statement(subjects, type_, predicate))
    times = tuple(WitnessedTime(time=day(number), witness=f"witness {n}") for n, number in enumerate(witnessed))
    proved = VerifiedTimes(times=times, needed=needed, seal=timestamps._SEAL)
    return read(VerifiedStatement(statement=said, signer=by, times=proved, logs=(), seal=binding._SEAL), TYPES)


def made(of: Iterable[int], role: str = "dataset", *, started: float | None = None, **external: Any) -> dict[str, Any]:
    """The provenance of a run of the honest builder over these things."""
    used = [{"name": f"thing-{n}", "digest": sha256(n), "annotations": {"role": role}} for n in of]
    metadata = {} if started is None else {"startedOn": day(started).isoformat().replace("+00:00", "Z")}
    return {
        "buildDefinition": {
            "buildType": "https://ci.example/train/v1",
            "externalParameters": external,
            "resolvedDependencies": used,
        },
        "runDetails": {"builder": {"id": BUILDER}, "metadata": metadata},
    }


def policy(identities: Mapping[str, Any], *, times: str = "claimed", **more: Any) -> Policy:
    """A policy of these parts."""
    return Policy.model_validate({"version": 1, "times": times, "identities": dict(identities), **more})


def walked(
    claims: Iterable[Claim], asked: Policy, *, refused: Sequence[Refused] = (), limits: Limits = DEFAULT
) -> Chain:
    """The walk from thing 0, as a model."""
    root = Reference(kind="model", digests=DigestSet.of(sha256(0)))
    at = day(99)
    return walk(root, "thing-0", claims, asked, at=at, now=at, limits=limits, refused=refused)
