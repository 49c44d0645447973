"""Replace a key, and keep what it signed: the new key signs the very same statements, after they were verified.

    python key_rotation.py

trust.yaml names the old key of the trainer, and trust-2027.yaml, which is handed out afterwards, the new one. Where
signatures have a witness for their time, none of this is needed: end the old key's window.
"""

from pathlib import Path

from glasswing_attest import Attestation, KeySigner, Model, Policy, Trust, endorse, verify

policy, evidence = Policy.load("policy.yaml"), Path("model.attestations.jsonl")
report = verify(Model("model"), evidence, policy=policy, trust=Trust.load("trust.yaml"))  # raises unless accepted

successor = KeySigner.generate()
successor.write("trainer-2027.key")  # for its owner only; `passphrase=` encrypts it
Path("trainer-2027.pub").write_text(successor.public_key.pem)

said_by_trainer = {claim.statement.digest for claim in report.claims if "trainer" in claim.signer.names}
for item in report.consumed:  # what the accepted chain rests on, and nothing that merely lies beside it
    attestation = Attestation.parse(item.data)
    if attestation.payload_digest in said_by_trainer:
        endorse(attestation, signer=successor).write(evidence)

verify(Model("model"), evidence, policy=policy, trust=Trust.load("trust-2027.yaml"))
print(f"{evidence}: accepted by the new key, which signed what the old one had")
