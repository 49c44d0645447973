"""Are two digests the same? Everything that is almost one, in otherwise honest statements of the trainer."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from glasswing_attest import CodeRecord, DataRecord
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from tests.attacks.corpus import Pair, Question, attack
from tests.attacks.site import (
    CODE,
    DATA,
    MODEL,
    ORIGIN,
    PROVENANCE,
    RECORD,
    RUN,
    alone,
    digests,
    forged,
    instead,
    question,
)
from tests.chains import BUILD_TYPE, BUILDER, COMMIT, tree, used

TREE = MODEL.digests.to_dict()["dirHash"]
MADE = {"buildDefinition": {"buildType": BUILD_TYPE}, "runDetails": {"builder": {"id": BUILDER}}}
NOTHING: dict[str, Any] = {"code": "chain.no-attestation", "rule": "nodes.model", "subject": "model model"}
OTHERWISE: dict[str, Any] = {"code": "verification.subject", "rule": "nodes.model", "subject": "model model"}
WEIGHTS = sha256(b"weights").hexdigest()
CONFIG = sha256(b"{}").hexdigest()


def named(digest: Mapping[str, str], *, artifact: Mapping[str, Any] | None = None) -> Question:
    """The question whether a run of this subject is about the model."""
    statement = forged({"name": "model", "digest": dict(digest)}, PROVENANCE_V1, MADE)
    return question(statement, policy=alone(PROVENANCE), artifact=artifact or digests(MODEL))


@attack(
    "Subject confusion",
    **NOTHING,
    variants={
        "sha256": {"sha256": TREE},
        "sha512": {"sha512": TREE * 2},
        "git-commit": {"gitCommit": TREE},
        "git-tree": {"gitTree": TREE},
        "git-commit-sha1": {"gitCommit": TREE[:40]},
        "oms-root": {"sha256": sha256(bytes.fromhex(CONFIG + WEIGHTS)).hexdigest()},
        "one-of-its-files": {"sha256": WEIGHTS},
    },
)
def other_kind_of_digest(digest: dict[str, str]) -> Pair:
    """The value is right, and its kind is not: a tree's digest as a file's or a commit's, a root that names no file."""
    return named({"dirHash": TREE}), named(digest)


@attack("Subject confusion", **NOTHING)
def file_of_concatenated_digests() -> Pair:
    """A file whose bytes are the digests of the model's files has the model's root as its own digest."""
    root = {"sha256": sha256(bytes.fromhex(CONFIG + WEIGHTS)).hexdigest()}
    file = {"kind": "model", "name": "model", "digests": root}
    return named(root, artifact=file), named(root)


@attack("Subject confusion", code="chain.no-attestation", rule="nodes.code", subject="code code")
def commit_as_sha1() -> Pair:
    """A file whose SHA-1 is the commit's id is what the developer signed for."""
    record = {"name": "acme/train"}
    as_file = forged({"name": "code", "digest": {"sha1": COMMIT}}, CodeRecord.predicate_type, record, "developer")
    return question(), question(RUN, RECORD, as_file)


@attack("Subject confusion", code="verification.subject", rule="nodes.code", subject="code code")
def commit_as_tree() -> Pair:
    """A git tree has the number of the commit."""
    record = {"name": "acme/train"}
    other = forged({"name": "code", "digest": {"gitTree": COMMIT}}, CodeRecord.predicate_type, record, "developer")
    return question(), question(RUN, RECORD, other)


@attack("Subject confusion", code="chain.no-attestation", rule="nodes.model", subject="model penguins")
def dataset_served_as_model() -> Pair:
    """The dataset is served as the model: it is attested, as what it is."""
    return question(), question(artifact={**digests(DATA), "kind": "model"})


@attack("Subject confusion", code="chain.no-attestation", rule="nodes.dataset", subject="dataset model")
def model_served_as_dataset() -> Pair:
    """The model is served as a dataset."""
    return question(artifact=digests(DATA)), question(artifact={**digests(MODEL), "kind": "dataset"})


@attack("Digest downgrade", **OTHERWISE, variants={"md5": "md5", "sha1": "sha1", "unknown": "sha256-sharded-10"})
def weak_or_unknown_alone(algorithm: str) -> Pair:
    """Nothing agrees but a digest that is weak, or of an algorithm that nobody knows."""
    value = TREE[: {"md5": 32, "sha1": 40}.get(algorithm, 64)]
    file = {"kind": "model", "name": "model", "digests": {"sha256": WEIGHTS, algorithm: value}}
    return named({"sha256": WEIGHTS, algorithm: value}, artifact=file), named({algorithm: value}, artifact=file)


@attack(
    "Digest downgrade",
    **OTHERWISE,
    variants={
        "weak-agrees": {"md5": "0" * 32, "sha256": "0" * 64},
        "one-strong-agrees": {"sha256": "0" * 64, "sha512": "1" * 128},
        "other-strong-agrees": {"sha256": WEIGHTS, "sha512": "2" * 128},
    },
)
def strong_one_differs(digest: dict[str, str]) -> Pair:
    """One digest agrees, and a strong one that both have differs."""
    both = {"md5": "0" * 32, "sha256": WEIGHTS, "sha512": "1" * 128}
    file = {"kind": "model", "name": "model", "digests": both}
    return named(both, artifact=file), named(digest, artifact=file)


@attack(
    "Algorithm agility abuse",
    **NOTHING,
    findings=["malformed.digest"],
    variants={
        "upper-case": str.upper,
        "one-digit-short": lambda value: value[:-1],
        "half": lambda value: value[:32],
        "one-digit-more": lambda value: f"{value}0",
        "blank-before": lambda value: f" {value}",
        "line-feed-after": lambda value: f"{value}\n",
        "prefixed": lambda value: f"0x{value[2:]}",
        "other-digits": lambda value: value.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    },
)
def digest_spelled_otherwise(change: Callable[[str], str]) -> Pair:
    """The digest of the honest subject is written in another way, which some readers take for the same."""
    return named({"dirHash": TREE}), named({"dirHash": change(TREE)})


@attack(
    "Algorithm agility abuse",
    **NOTHING,
    variants={"upper-case": "DIRHASH", "snake-case": "dir_hash", "sharded": "dirHash-sharded-10", "h1": "h1"},
)
def algorithm_spelled_otherwise(name: str) -> Pair:
    """The algorithm of the honest digest has a name that is almost its own."""
    return named({"dirHash": TREE}), named({name: TREE})


@attack(
    "Algorithm agility abuse",
    code="chain.no-attestation",
    rule="nodes.model",
    subject="model model",
    findings=["malformed.digest"],
)
def listing_digest_that_differs() -> Pair:
    """Beside the tree's digest stands another value as that of its listing, for whoever looks there."""
    return named({"dirHash": TREE, "sha256": TREE}), named({"dirHash": TREE, "sha256": "0" * 64})


@attack("Digest downgrade", code="chain.no-attestation", rule="nodes.dataset", subject="dataset penguins")
def input_named_by_weak_digest() -> Pair:
    """The run names its dataset by a weak digest, which the poisoned one shares."""
    weak = tree("dataset", {"penguins.csv": b"1,2,3\n"}, "penguins")
    plain = used(weak, "dataset").to_dict()
    plain["digest"] = {"sha1": "0" * 40}
    body = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "resolvedDependencies": [plain, used(CODE, "code", ORIGIN).to_dict()],
        },
        "runDetails": {"builder": {"id": BUILDER}},
    }
    attacked = forged({"name": "model", "digest": MODEL.digests.to_dict()}, PROVENANCE_V1, body)
    return question(), question(*instead(RUN, attacked))


@attack("Subject confusion", code="policy.contradicts-subject", rule="nodes.dataset", subject="dataset penguins")
def record_of_another_tree() -> Pair:
    """The record is about the honest digest by its subject, and about another tree by its own words."""
    record = {"name": "penguins", "tree": {"dirHash": "0" * 64, "files": "1", "bytes": "6"}}
    odd = forged({"name": "penguins", "digest": DATA.digests.to_dict()}, DataRecord.predicate_type, record, "data-team")
    return question(), question(*instead(RECORD, odd))
