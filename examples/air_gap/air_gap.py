"""Verify a model on a machine without any network, by a policy and a trust that came on the same disk as the model.

    python air_gap.py pack                      # outside: prints two digests, to be read out over the telephone
    python air_gap.py verify POLICY TRUST       # inside, with the two digests that were heard

The digests go another way than the disk, so that nobody can change both. The case that is written inside holds all that
decided, and may go out again.
"""

import sys
from pathlib import Path

from glasswing_attest import Model, Policy, Trust, verify

if sys.argv[1] == "pack":
    policy, trust = Policy.load("policy.yaml"), Trust.load("trust.yaml")
    Path("disk/policy.json").write_bytes(policy.to_json())
    Path("disk/trust.json").write_bytes(trust.to_json())  # stands alone: keys and roots are in it
    print(policy.digest, trust.digest)
else:
    policy, trust = Policy.load("disk/policy.json"), Trust.load("disk/trust.json")
    if [policy.digest, trust.digest] != sys.argv[2:]:
        sys.exit("this policy or this trust is not the one that was packed")
    report = verify(Model("disk/model"), "disk/model.attestations.jsonl", policy=policy, trust=trust)
    print(f"{report!r}; what decided is in {report.case('case.zip')}")
