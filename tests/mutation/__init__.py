"""Is every line of the engine held by a test? See docs/mutation.md."""
