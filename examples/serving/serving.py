"""Verify and load models in a serving process: one verifier, which all threads share.

    python serving.py models/*/

Beside each model lie its attestations: models/iris, models/iris.attestations.jsonl. Policy and trust are your own, and
never come from there.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from glasswing_attest import Model, Policy, Trust, Verifier

verifier = Verifier(policy=Policy.load("policy.yaml"), trust=Trust.load("trust.yaml"))  # frozen, so it can be shared


def load(model: Path) -> bytes:
    """Give the weights of an accepted model; raises GlasswingError for any other."""
    report = verifier.verify(Model(model), f"{model}.attestations.jsonl")
    return report.open_all().read("model.safetensors")  # the bytes that were verified, or an error


models = [Path(argument) for argument in sys.argv[1:]]
with ThreadPoolExecutor() as threads:  # the threads of your server
    for model, weights in zip(models, threads.map(load, models), strict=True):
        print(f"{model.name}: {len(weights)} bytes of verified weights")
