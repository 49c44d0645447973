"""Is what lies there what was attested? Files on disk, under the honest evidence."""

from dataclasses import replace
from typing import Any

from glasswing_attest import DataRecord, ModelRecord
from glasswing_attest.artifact.file import Blob
from glasswing_attest.statement.predicates.oms import OMS_V1, ModelSignature, OmsResource
from tests.attacks.corpus import Pair, Question, attack
from tests.attacks.site import (
    FILES,
    INPUTS,
    MODEL,
    POISON,
    RUN,
    SOURCE,
    WEIGHTS,
    alone,
    by,
    digests,
    forged,
    instead,
    question,
    run,
    said,
)
from tests.chains import sha256, used

OTHER: dict[str, Any] = {"code": "verification.subject", "rule": "nodes.model", "subject": "model model"}
HOOK = {"model/modeling_model.py": b"import os"}
SWAPPED = {"model/config.json": FILES[WEIGHTS], WEIGHTS: FILES["model/config.json"]}


def on_disk(changes: dict[str, bytes] | None = None, without: str = "", **more: Any) -> Question:
    """The honest question about files."""
    files = {name: data for name, data in {**FILES, **(changes or {})}.items() if name != without}
    return replace(question(), artifact={"kind": "model", "path": "model"}, files=files, **more)


@attack("Artifact substitution", **OTHER)
def weights_replaced() -> Pair:
    """The file of weights holds other bytes."""
    return on_disk(), on_disk({WEIGHTS: b"weightz"})


@attack("Artifact substitution", **OTHER)
def file_added() -> Pair:
    """A file of code lies beside the weights, which nobody attested."""
    return on_disk(), on_disk(HOOK)


@attack("Artifact substitution", **OTHER)
def empty_file_added() -> Pair:
    """An empty file lies beside the weights: no byte is new, but a name is."""
    return on_disk(), on_disk({"model/__init__.py": b""})


@attack("Artifact substitution", **OTHER)
def file_removed() -> Pair:
    """A file is missing, so that whoever loads the model falls back to a default."""
    return on_disk(), on_disk(without="model/config.json")


@attack("Artifact substitution", code="verification.subject", rule="nodes.dataset", subject="dataset penguins")
def dataset_replaced() -> Pair:
    """The run used other data under the name of the honest dataset, whose record is served."""
    return question(), question(*instead(RUN, run(used(POISON, "dataset"), INPUTS[1])))


@attack("Renaming", **OTHER)
def contents_swapped() -> Pair:
    """Two files have exchanged their contents: the set of names and the set of contents are what they were."""
    return on_disk(), on_disk(SWAPPED)


@attack("Renaming", **OTHER)
def file_renamed() -> Pair:
    """A file has another name, and every content is what it was."""
    return on_disk(), on_disk({"model/pytorch_model.bin": FILES[WEIGHTS]}, without=WEIGHTS)


@attack("Renaming", **OTHER)
def file_moved_down() -> Pair:
    """A file lies in a folder below, under its own name."""
    return on_disk(), on_disk({"model/model/model.safetensors": FILES[WEIGHTS]}, without=WEIGHTS)


@attack("Renaming", **OTHER)
def names_swapped_under_one_model_signature() -> Pair:
    """The root of a model signature commits to digests alone: two files of it have exchanged their names."""
    # Digests in the order of the names: had the two files the other names, the root would be another. So the list is
    # what is swapped with them, which leaves the root as it is.
    listed = [OmsResource(name=name.removeprefix("model/"), digest=sha256(data)) for name, data in FILES.items()]
    signature = ModelSignature(resources=tuple(listed))
    subject = {"name": "model", "digest": {"sha256": signature.root()}}
    signed = forged(subject, OMS_V1, signature.to_predicate())
    names = {"model/a.json": FILES["model/config.json"], "model/b.safetensors": FILES[WEIGHTS]}
    policy = alone({"predicate": OMS_V1, "signed_by": by("trainer")})
    honest = on_disk(policy=policy, evidence=(signed,))
    return honest, replace(honest, files=names)


@attack("Ignore-list abuse", **OTHER)
def path_left_out_by_the_signer() -> Pair:
    """The signer measured the folder without one path, and says so; that path holds code where it is verified."""
    record = said(replace(MODEL, excluded=("modeling_model.py",)), ModelRecord(name="m"))
    policy = alone({"predicate": ModelRecord.predicate_type, "signed_by": by("trainer")})
    return on_disk(policy=policy, evidence=(record,)), on_disk(HOOK, policy=policy, evidence=(record,))


@attack("Ignore-list abuse", **OTHER, variants={"git": ".git/hooks/post-checkout", "cache": ".cache/x/run.sh"})
def hidden_where_tools_do_not_look(name: str) -> Pair:
    """Code lies where tools leave things out unasked."""
    return on_disk(), on_disk({f"model/{name}": b"#!/bin/sh\n"})


@attack("Listing as file", code="chain.no-attestation", rule="nodes.dataset", subject="dataset penguins")
def listing_of_the_poison() -> Pair:
    """A trusted team says that a text file is clean, which reads like the listing of the poisoned folder."""
    listing = Blob(POISON.listing, name="SHA256SUMS", kind="dataset")
    poisoned = run(used(POISON, "dataset"), INPUTS[1])
    clean = said(listing, DataRecord(name="penguins"), "data-team")
    honest = said(POISON, DataRecord(name="penguins"), "data-team")  # had they looked at the folder itself
    return question(poisoned, honest, SOURCE), question(poisoned, clean, SOURCE)


@attack("Listing as file", code="chain.no-attestation", rule="nodes.model", subject="model SHA256SUMS")
def folder_as_its_listing() -> Pair:
    """The signed folder's listing is served as the thing that was signed."""
    listing = {"kind": "model", "path": "SHA256SUMS"}
    served = replace(question(), artifact=listing, files={"SHA256SUMS": MODEL.listing})
    return question(artifact=digests(MODEL)), served
