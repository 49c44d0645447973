"""WHAT IS TOLD? The outcome of a verification, as data, as text and as a case that can be replayed."""
