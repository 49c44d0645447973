"""Release a model that two teams answer for: training has signed its record, quality signs the same statement.

    python two_teams.py

Quality verifies by a policy that asks for the one signature, looks at what it says, and endorses it. Whoever uses the
model verifies by policy.yaml, which asks for both.
"""

import sys

from glasswing_attest import Attestation, KeySigner, Model, ModelRecord, Policy, Trust, endorse, verify

trust = Trust.load("trust.yaml")
attestation = Attestation.load("model.training.json")
report = verify(Model("model"), attestation, policy=Policy.load("training-alone.yaml"), trust=trust)

(record,) = report.records(ModelRecord)  # what is verified, and nothing else
if record.license not in {"Apache-2.0", "MIT"}:
    sys.exit(f"quality does not sign for the licence {record.license}")
endorsed = endorse(attestation, signer=KeySigner.from_file("quality.key"))
endorsed.write("model.quality.json")

verify(Model("model"), [attestation, endorsed], policy=Policy.load("policy.yaml"), trust=trust)
print("model.quality.json: quality has signed the same statement, and both are accepted together")
