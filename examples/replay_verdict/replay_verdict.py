"""Look at last week's verdict again: what decided it then, and what would be said today.

    python replay_verdict.py

verdict.json is the report that your own log has kept; case.zip, which anybody may have brought, holds the evidence, the
policy and the trust of that verdict. Only those are believed whose digests stand in the log.
"""

import json
from pathlib import Path

from glasswing_attest import Model, Policy, Trust, assess, replay

logged = json.loads(Path("verdict.json").read_text())["inputs"]
then = replay("case.zip", policy_sha256=logged["policySha256"], trust_sha256=logged["trustSha256"])
print(f"{then.at:%Y-%m-%d}: {then.verdict}, of {then.artifact.digests.label}")

evidence = [item.data for item in then.evidence]  # the same evidence, by the policy and the trust of today
today = assess(Model("model"), evidence, policy=Policy.load("policy.yaml"), trust=Trust.load("trust.yaml"))
print(f"{today.at:%Y-%m-%d}: {today.verdict}")
for finding in today.findings:
    print(f"  {finding.code}: {finding.subject}: {finding.found}")
