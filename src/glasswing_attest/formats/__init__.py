"""WHOSE EVIDENCE IS IT? What other tools keep attestations in, taken apart into attestations."""

from glasswing_attest.formats.distribution import normalised_filename, same_distribution
from glasswing_attest.formats.part import Part
from glasswing_attest.formats.pep740 import provenance_object, to_pep740
from glasswing_attest.formats.reading import parse, read, unpack

__all__ = [
    "Part",
    "normalised_filename",
    "parse",
    "provenance_object",
    "read",
    "same_distribution",
    "to_pep740",
    "unpack",
]
