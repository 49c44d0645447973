"""Attest a model of many shards, in the CI job that trains it: how it was made, and what it is.

    TRAINER_KEY="$(cat trainer.key)" python ci_model.py

It runs `train.py` in a clean checkout, and writes model.attestations.jsonl beside the model. The platform says the
commit, the workflow and the run; the builder is a name of yours, which policies know.

Outside of CI nothing says them. To try it there, say what GitHub would:

    export GITHUB_ACTIONS=true GITHUB_SERVER_URL=https://github.com RUNNER_ENVIRONMENT=github-hosted
    export GITHUB_REPOSITORY=acme/train GITHUB_REPOSITORY_ID=1 GITHUB_REPOSITORY_OWNER_ID=1
    export GITHUB_WORKFLOW_REF=acme/train/.github/workflows/train.yml@refs/heads/main GITHUB_REF=refs/heads/main
    export GITHUB_EVENT_NAME=push GITHUB_RUN_ID=1 GITHUB_RUN_ATTEMPT=1 GITHUB_SHA="$(git rev-parse HEAD)"
"""

import os
import subprocess
import sys

from glasswing_attest import Build, Dataset, KeySigner, Model, ModelRecord, Source, attest
from glasswing_attest.artifact.description import describe

signer = KeySigner.from_pem(os.environ["TRAINER_KEY"].encode())  # a secret of the CI project
with Build.from_environment(builder="https://ci.example/trainer") as build:
    build.use(Dataset("data"), role="dataset")
    build.use(Source("."), role="code")  # refused while there are uncommitted changes
    subprocess.run([sys.executable, "train.py"], check=True)
    build.output(Model("model"))
(model,) = build.outputs  # digested when the run ended, for both statements
record = ModelRecord(name="acme/iris", license="Apache-2.0").holding(describe(model))  # the shards fit their index
for said in (build.provenance(), record):
    attest(model, said, signer=signer).write("model.attestations.jsonl")
