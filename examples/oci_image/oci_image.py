"""Verify a container image by the evidence beside it in the registry, and print the reference to run.

    oras copy --recursive --to-oci-layout ghcr.io/acme/serve@sha256:... image
    python oci_image.py ghcr.io/acme/serve@sha256:...

The layout has the image and the bundles that refer to it, as `cosign attest` and `oras attach` leave them. The image is
read by the runtime, which pulls it by its digest, and not here: so the policy says `declared: allow`.
"""

import sys

from glasswing_attest import Digest, GlasswingError, Manifest, Policy, Trust, verify

policy, trust = Policy.load("policy.yaml"), Trust.load("trust.yaml")
name, _, digest = sys.argv[1].partition("@")
try:
    asked = Digest.parse(digest)  # refuses a tag, which can be moved
    verify(Manifest.declared("image", asked, name=name), "image", policy=policy, trust=trust)
except GlasswingError as refused:
    sys.exit(f"not to be run: {refused}")
print(f"{name}@{asked}")
