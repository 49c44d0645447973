"""WHO HELPS TO SIGN? The services of a Sigstore instance, each behind one function."""
