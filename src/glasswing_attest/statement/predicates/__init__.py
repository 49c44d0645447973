"""The predicates that others define, one file each, and how a predicate type finds its reader."""
