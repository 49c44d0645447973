"""WHAT ELSE MUST HOLD? Pure evaluators over what was measured and what was signed; each answers in findings."""
