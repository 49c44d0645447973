"""HOW IS A CONDITION WRITTEN? The Common Expression Language (CEL), as far as it is read here."""
