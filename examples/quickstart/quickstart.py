"""A model that proves where it comes from: which data, which code, which run, and who says so.

    make quickstart

Three people work here, each with a key of their own. The *data team* attests a dataset, the *developer* attests code,
the *trainer* trains a model and attests what went in and what came out. Then you, who know nothing but a policy and
three public keys, verify the model, load it and use it. At last somebody changes one byte, four times.

All of it is real: real data, a real training run, real signatures. Nothing needs the network. What is made lies in the
folder `out` beside this file, or in the one that you name: `python quickstart.py FOLDER`.
"""

import base64
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from glasswing_attest import (
    Build,
    CodeRecord,
    DataRecord,
    Dataset,
    GlasswingError,
    KeySigner,
    Model,
    ModelRecord,
    Policy,
    Report,
    Source,
    Trust,
    Verifier,
    attest,
)
from glasswing_attest.errors import SignatureInvalid, SubjectMismatch
from glasswing_attest.records import DataSource, Evaluation, ResourceReference

HERE = Path(__file__).resolve().parent
BUILDER = "https://example.com/builders/quickstart"  # who ran the training: a name that the policy knows
TRAINING_RUN = "https://glasswing-attest.readthedocs.io/build-types/training-run/v1"  # see docs/spec/training-run.md
SETTINGS = {"epochs": 300, "learning_rate": 0.5, "seed": 2007}


def main(out: Path) -> None:
    # An artifact is a place on disk and a name. It is read when it is attested, used or verified, and each time anew.
    dataset = Dataset(out / "data", name="palmer-penguins")
    source = Source(out / "code", name="penguin-training")
    model = Model(out / "model", name="penguin-classifier")
    evidence = out / "model.attestations.jsonl"  # travels with the model: beside it, never inside it

    say("Three people make a key each")
    signers = {name: KeySigner.generate() for name in ("data-team", "developer", "trainer")}
    verifier_files = out / "verifier"  # what you believe: it must not come from where the model comes from
    for folder in (out / "keys", verifier_files):
        folder.mkdir(parents=True)
    for name, signer in signers.items():
        signer.write(out / "keys" / f"{name}.pem")  # readable by its owner only; `passphrase=` encrypts it
        (verifier_files / f"{name}.pub.pem").write_text(signer.public_key.pem)
        print(f"  {name}: {signer.public_key.fingerprint[:16]}")

    say("The data team attests a dataset, the developer a commit")
    shutil.copytree(HERE / "data", dataset.path)
    shutil.copytree(HERE / "code", source.path, ignore=shutil.ignore_patterns("__pycache__"))
    commit_all(source.path)
    wheel = DataSource(
        name="palmerpenguins-0.1.6-py3-none-any.whl",
        uri="pkg:pypi/palmerpenguins@0.1.6",
        digest={"sha256": "5c3be9af84dd703a25f1aaeadeac6ac770cfd38c1620d00089f581c023129ee0"},
        license="CC0-1.0",
    )
    about_data = DataRecord(name=dataset.name, version="0.1.6", license="CC0-1.0", sources=[wheel])
    attest(dataset, about_data, signer=signers["data-team"]).write(evidence)
    about_code = CodeRecord(name=source.name, license="Apache-2.0")  # the commit and its tree are filled in
    attest(source, about_code, signer=signers["developer"]).write(evidence)

    say("The trainer trains: `Build` records what goes in, and checks at the end that it did not change meanwhile")
    parameters = {
        "entrypoint": "train.py",
        "code": {"name": source.name},
        "datasets": [{"name": dataset.name}],
        "hyperparameters": SETTINGS,
    }
    with Build(BUILDER, build_type=TRAINING_RUN, parameters=parameters) as build:
        data = build.use(dataset, role="dataset")
        code = build.use(source, role="code")
        sys.dont_write_bytecode = True  # a __pycache__ in the checkout would be an uncommitted change
        sys.path.insert(0, str(source.path))
        training = importlib.import_module("train")
        metrics = training.train(dataset.path, model.path, report=lambda line: print(f"  {line}"), **SETTINGS)
    run = attest(model, build.provenance(), signer=signers["trainer"])
    run.write(evidence)

    say("The trainer says what came out")
    trained_on = ResourceReference(name=data.name, digest=data.digests.to_dict())
    about_model = ModelRecord(
        name=model.name,
        license="Apache-2.0",
        formats=["safetensors"],
        architecture="multinomial-logistic-regression",
        parameter_count=metrics.parameters,
        dtype="float32",
        datasets=[trained_on],
        code=[ResourceReference(name=code.name, digest=code.digests.to_dict())],
        evaluations=[Evaluation(metric="accuracy", value=metrics.accuracy, dataset=trained_on, split="held out")],
    )
    description = attest(model, about_model, signer=signers["trainer"])
    description.write(evidence)
    print(f"  {evidence.name}: {len(evidence.read_bytes().splitlines())} attestations")

    say("You verify: from the files, the attestations, a policy and three public keys")
    shutil.copy(HERE / "policy.yaml", verifier_files)
    shutil.copy(HERE / "trust.yaml", verifier_files)
    verifier = Verifier(
        policy=Policy.load(verifier_files / "policy.yaml"), trust=Trust.load(verifier_files / "trust.yaml")
    )

    def verify_all() -> Report:
        for input_of_the_run in (dataset, source):
            verifier.verify(input_of_the_run, evidence)  # raises for every answer that is not a yes
        return verifier.verify(model, evidence)

    report = verify_all()
    print(report.to_text())

    say("You load the model: `report.open` hashes while it reads, so that what is loaded is what was verified")
    with tempfile.TemporaryDirectory() as private:
        for file in report.artifact.files:
            with report.open(file.name) as verified:
                Path(private, file.name).write_bytes(verified.read())
        classifier = training.load(Path(private))
    (said,) = report.records(ModelRecord)  # verified records only
    print(f"  its record says: accuracy {said.evaluations[0].value}, {said.parameter_count} parameters")
    print(f"  a bill of 39.1 × 18.7 mm, flippers of 181 mm, 3750 g: {classifier.predict([39.1, 18.7, 181, 3750])}")

    say("Somebody changes one byte")
    rows, weights = dataset.path / "penguins.csv", model.path / "model.safetensors"
    payload, signature = description.envelope.payload, run.envelope.signatures[0].sig
    better = one_byte_changed(payload, at=payload.index(metrics.accuracy.encode()) + 3)  # 0.9853 becomes 0.9953
    changes = [
        # what, in which file, old bytes, new bytes; which error must follow, about what, and found where
        ("the dataset", rows, b"2009\n", b"2008\n", SubjectMismatch, "dataset palmer-penguins", "dirHash:"),
        ("the model", weights, weights.read_bytes(), one_byte_changed(weights.read_bytes(), at=-1),
         SubjectMismatch, "model penguin-classifier", "dirHash:"),
        ("a statement", evidence, base64.b64encode(payload), base64.b64encode(better),
         SignatureInvalid, "model penguin-classifier", ModelRecord.predicate_type),
        ("a signature", evidence, base64.b64encode(signature), base64.b64encode(one_byte_changed(signature, at=-1)),
         SignatureInvalid, "model penguin-classifier", "https://slsa.dev/provenance/v1"),
    ]  # fmt: skip
    for what, place, old, new, error, about, found in changes:
        before = place.read_bytes()
        place.write_bytes(before.replace(old, new, 1))
        print(f"\n  ... of {what}, in {place.relative_to(out)}")
        try:
            verify_all()
        except GlasswingError as refusal:
            print(f"  refused: {type(refusal).__name__}, {refusal.code}\n    {refusal}")
            if not (isinstance(refusal, error) and refusal.where == about and found in str(refusal.found)):
                sys.exit("  but not for the right reason")
        else:
            sys.exit(f"  NOT REFUSED: {what} was changed, and nobody noticed")
        place.write_bytes(before)
        verify_all()
        print("  restored: accepted")

    say(f"All is well. Look around in {out}")


def commit_all(folder: Path) -> None:
    """Make a folder a git repository with one commit: the same one each time, whatever git's settings here are."""
    who = {"NAME": "Developer", "EMAIL": "developer@example.com", "DATE": "2026-01-01T00:00:00Z"}
    identity = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1", **identity}
    for command in ("init --quiet --template= --initial-branch=main", "add --all", "commit --quiet --message=First"):
        subprocess.run(["git", *command.split()], cwd=folder, env=environment, check=True)


def one_byte_changed(content: bytes, *, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def say(what: str) -> None:
    print(f"\n{what}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
    else:
        folder = HERE / "out"
        shutil.rmtree(folder, ignore_errors=True)  # what an earlier run left behind
    if folder.exists():
        sys.exit(f"{folder} is there already: name a new folder")
    main(folder.resolve())
