"""What does an example find when it begins?  Keys, models, and what others have said before.

    python examples/prepare.py serving /tmp/serving
    cd /tmp/serving && python serving.py models/*/

The folder is new, and gets the example's files. The keys are made anew each time, and are worth nothing elsewhere.
"""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from glasswing_attest import (
    Build,
    DataRecord,
    Dataset,
    Digest,
    KeySigner,
    Manifest,
    Model,
    ModelRecord,
    Policy,
    Trust,
    attest,
    verify,
)
from glasswing_attest.oms import sign_model
from glasswing_attest.store import DirectoryStore

HERE = Path(__file__).resolve().parent
TRAIN = """
import json, pathlib, struct

weights = {"embed": b"12345678", "head": b"1234"}
pathlib.Path("model").mkdir()
index = {}
for number, (name, data) in enumerate(weights.items(), start=1):
    file = f"model-{number:05}-of-00002.safetensors"
    header = json.dumps({name: {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}).encode()
    pathlib.Path("model", file).write_bytes(struct.pack("<Q", len(header)) + header + data)
    index[name] = file
text = json.dumps({"metadata": {"total_size": 12}, "weight_map": index})
pathlib.Path("model", "model.safetensors.index.json").write_text(text)
"""
TUNE = """
import pathlib, shutil

shutil.copytree("base", "tuned")
pathlib.Path("tuned", "adapter.bin").write_bytes(b"a little better")
"""


def prepare(example: str, folder: Path) -> None:
    """Copy the example into the new folder, and make there what it needs."""
    shutil.copytree(HERE / example, folder, ignore=shutil.ignore_patterns("__pycache__"))
    PREPARE[example](folder)


def ci_model(folder: Path) -> None:
    """A clean checkout, as a CI platform hands it to a job; the data and its record; the secret key."""
    (folder / "train.py").write_text(TRAIN)
    (folder / ".gitignore").write_text("/data/\n/model/\n*.key\n*.pub\n*.jsonl\n")
    commit(folder)
    attest(data(folder / "data"), DataRecord(name="iris"), signer=key(folder, "data-team")).write(
        folder / "data.attestations.jsonl"
    )
    key(folder, "trainer")


def serving(folder: Path) -> None:
    """Two models, each with the attestation of its release."""
    release = key(folder, "release")
    for name in ("iris", "penguins"):
        record = ModelRecord(name=name, license="Apache-2.0")
        attest(model(folder / "models" / name), record, signer=release).write(
            folder / "models" / f"{name}.attestations.jsonl"
        )


def dataset_manifest(folder: Path) -> None:
    """A corpus, and the key of whoever publishes it."""
    key(folder, "data-team")
    (folder / "corpus").mkdir()
    for number in range(3):
        (folder / "corpus" / f"part-{number}.csv").write_text(f"{number},0\n{number},1\n")


def webhook(folder: Path) -> None:
    """A released model, and the store in which its attestation is kept."""
    made = attest(model(folder / "model"), ModelRecord(name="iris"), signer=key(folder, "release"))
    DirectoryStore(folder / "evidence").add(made)


def released(folder: Path) -> None:
    """A model with the attestation of its release."""
    made = attest(model(folder / "model"), ModelRecord(name="iris"), signer=key(folder, "release"))
    made.write(folder / "model.attestations.jsonl")


def air_gap(folder: Path) -> None:
    """A disk with a released model on it."""
    (folder / "disk").mkdir()
    made = attest(model(folder / "disk" / "model"), ModelRecord(name="iris"), signer=key(folder, "release"))
    made.write(folder / "disk" / "model.attestations.jsonl")


def key_rotation(folder: Path) -> None:
    """A model with its run and its data, signed with the key of the year before."""
    trainer, team = key(folder, "trainer-2026"), key(folder, "data-team")
    attest(data(folder / "data"), DataRecord(name="iris"), signer=team).write(folder / "model.attestations.jsonl")
    with Build("https://ci.example/trainer", build_type="https://example.com/train/v1") as build:
        build.use(Dataset(folder / "data"), role="dataset")
        build.output(model(folder / "model"))
    attest(build.outputs, build.provenance(), signer=trainer).write(folder / "model.attestations.jsonl")


def two_teams(folder: Path) -> None:
    """A model with the record that training has signed, and the key of quality."""
    record = ModelRecord(name="iris", license="Apache-2.0")
    made = attest(model(folder / "model"), record, signer=key(folder, "training"))
    made.write(folder / "model.training.json")
    key(folder, "quality")


def fine_tune(folder: Path) -> None:
    """Somebody's model, with their signature beside it; a script that tunes it, and the key of whoever does."""
    model(folder / "base")
    sign_model(folder / "base", signer=key(folder, "upstream"), signature=folder / "base.sig")
    (folder / "upstream.key").unlink()  # it is theirs
    (folder / "tune.py").write_text(TUNE)
    key(folder, "trainer")


def oci_image(folder: Path) -> None:
    """An OCI layout with an image, and with the bundle that refers to it, as `cosign attest` leaves it."""
    layout = folder / "image"
    (layout / "blobs" / "sha256").mkdir(parents=True)
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    kind = "application/vnd.oci.image.manifest.v1+json"

    def blob(content: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (layout / "blobs" / "sha256" / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def manifest(layer: dict[str, object], **more: object) -> dict[str, object]:
        config = blob(b"{}", "application/vnd.oci.empty.v1+json")
        body = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer], **more}
        return blob(json.dumps(body).encode(), kind)

    image = manifest(blob(b"layer", "application/vnd.oci.image.layer.v1.tar"))
    name, digest = "ghcr.io/acme/serve", str(image["digest"])
    with Build("https://ci.example/images", build_type="https://example.com/image/v1") as build:
        pass
    subject = Manifest.declared("image", Digest.parse(digest), name=name)
    signed = attest(subject, build.provenance(), signer=key(folder, "builder"))
    bundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
    referrer = manifest(blob(signed.bytes, bundle), artifactType=bundle, subject=image)
    image["platform"] = {"os": "linux", "architecture": "amd64"}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [image, referrer]}))
    (folder / "reference.txt").write_text(f"{name}@{digest}\n")


def replay_verdict(folder: Path) -> None:
    """A verdict of last week, by the key of last week: the report in the log, and the case."""
    released(folder)
    key(folder, "release-new")
    last_week = datetime.now(UTC) - timedelta(days=7)
    report = verify(
        Model(folder / "model"),
        folder / "model.attestations.jsonl",
        policy=Policy.load(folder / "policy.yaml"),
        trust=Trust.of(release=KeySigner.from_file(folder / "release.key").public_key),
        at=last_week,
    )
    (folder / "verdict.json").write_text(report.to_json())
    report.case(folder / "case.zip")


def key(folder: Path, name: str) -> KeySigner:
    """Make a key: NAME.key for its owner, NAME.pub for a trust file."""
    signer = KeySigner.generate()
    signer.write(folder / f"{name}.key")
    (folder / f"{name}.pub").write_text(signer.public_key.pem)
    return signer


def model(folder: Path) -> Model:
    """Make a model, as large as it needs to be."""
    folder.mkdir(parents=True)
    tensor = {"weight": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}
    header = json.dumps(tensor).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"1234")
    (folder / "config.json").write_text("{}")
    return Model(folder)


def data(folder: Path) -> Dataset:
    """Make a dataset."""
    folder.mkdir()
    (folder / "iris.csv").write_text("5.1,3.5,1.4,0.2,setosa\n")
    return Dataset(folder)


def commit(folder: Path) -> None:
    """Make the folder a git repository with one commit, whatever git's settings are here."""
    who = {"NAME": "Developer", "EMAIL": "developer@example.com", "DATE": "2026-01-01T00:00:00Z"}
    named = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1", **named}
    for command in ("init --quiet --template= --initial-branch=main", "add --all", "commit --quiet --message=First"):
        subprocess.run(["git", *command.split()], cwd=folder, env=environment, check=True)


PREPARE: dict[str, Callable[[Path], None]] = {
    "ci_model": ci_model,
    "serving": serving,
    "dataset_manifest": dataset_manifest,
    "webhook": webhook,
    "air_gap": air_gap,
    "key_rotation": key_rotation,
    "two_teams": two_teams,
    "fine_tune": fine_tune,
    "oci_image": oci_image,
    "replay_verdict": replay_verdict,
}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in PREPARE:
        sys.exit(f"usage: prepare.py EXAMPLE NEW-FOLDER, where EXAMPLE is one of {', '.join(PREPARE)}")
    prepare(sys.argv[1], Path(sys.argv[2]))
