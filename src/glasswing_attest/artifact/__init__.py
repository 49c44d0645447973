"""WHAT IS IT? Things on disk, and the digests that name them."""
