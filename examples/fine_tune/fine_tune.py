"""Fine-tune a model that somebody else signed with OpenSSF Model Signing, and prove the chain back to their signature.

    python fine_tune.py

Their files and their signature stay as they are: base/ and base.sig. Your provenance names the base model by digest.
"""

import subprocess
import sys
from datetime import UTC, datetime

from glasswing_attest import Build, KeySigner, Model, Policy, Trust, attest, verify
from glasswing_attest.oms import verify_model

trust, signer = Trust.load("trust.yaml"), KeySigner.from_file("trainer.key")
verify_model("base", "base.sig", trust=trust, signer="upstream", signed_at=datetime.now(UTC))  # before anything runs

with Build("https://ci.example/trainer", build_type="https://example.com/fine-tune/v1") as build:
    build.use(Model("base"), role="baseModel", uri="https://huggingface.co/upstream/base")
    subprocess.run([sys.executable, "tune.py"], check=True)
    build.output(Model("tuned"))
attest(build.outputs, build.provenance(), signer=signer).write("tuned.attestations.jsonl")

evidence = ["tuned.attestations.jsonl", "base.sig"]
print(verify(Model("tuned"), evidence, policy=Policy.load("policy.yaml"), trust=trust))
