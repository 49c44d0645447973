"""Attest a large dataset by its manifest, and use one file of it without reading the others.

    python dataset_manifest.py publish          python dataset_manifest.py read part-1.csv

The manifest lists every file with its SHA-256, and travels with the attestation. By itself it is anybody's word, so the
policy has to say `declared: allow`; what is verified is that the data team signed a tree of just these files.
"""

import sys

from glasswing_attest import AttestationSet, DataRecord, Dataset, KeySigner, Policy, Trust, attest, verify
from glasswing_attest.artifact.proofs import MerkleTree

if sys.argv[1] == "publish":
    manifest = Dataset("corpus").measure()  # the only time that all of it is read
    record = DataRecord(name="acme/corpus", version="2026.1", license="CC-BY-4.0")
    signed = attest(manifest, record, signer=KeySigner.from_file("data-team.key"))
    AttestationSet(items=(signed.bytes, manifest)).write("corpus.attestations")
else:
    name = sys.argv[2]
    (manifest,) = AttestationSet.read("corpus.attestations").manifests
    policy, trust = Policy.load("policy.yaml"), Trust.load("trust.yaml")
    report = verify(manifest, "corpus.attestations", policy=policy, trust=trust)
    with report.open_part(name, f"corpus/{name}", MerkleTree.of(manifest).proof(name)) as file:
        print(file.read().decode(), end="")  # the bytes that were attested, or an error
