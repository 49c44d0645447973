"""WHO SIGNS? Signers: each turns a payload into a bundle that says how to verify it."""
