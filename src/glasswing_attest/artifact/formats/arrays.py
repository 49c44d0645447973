r"""Does a NumPy array hold numbers, or Python objects, which are a pickle?

The format NPY 1.0 to 3.0 (numpy.lib.format)::

    0x93 "NUMPY" <version, 2 bytes><size of the header, 2 bytes, from 2.0 on 4, little-endian><header><data>

    {'descr': '<f8', 'fortran_order': False, 'shape': (3,), }        a Python literal, padded with spaces

Of objects (``|O``, also within a structure) the data is a pickle, whatever the file is called.
"""

from __future__ import annotations

import ast
import re

from glasswing_attest.artifact.formats.reading import Reader

__all__ = ["MAGIC", "holds_numbers"]

MAGIC = b"\x93NUMPY"
# As much as numpy reads without being told to trust the file.
_HEADER = 10_000
_NUMBERS = re.compile(r"[<>|=]?[?bBhHiIlLqQefdgFDGSUVaAmMc]\d*(\[[\w ]*\])?")


def holds_numbers(reader: Reader) -> bool:
    r"""Tell whether it is certain that no objects are in an array.

    >>> from glasswing_attest.artifact.formats.reading import Bytes
    >>> def array(descr):
    ...     header = repr({"descr": descr, "fortran_order": False, "shape": (1,)}).encode()
    ...     return Bytes(MAGIC + b"\x01\x00" + len(header).to_bytes(2, "little") + header)
    >>> holds_numbers(array("<f8")), holds_numbers(array([("a", "<i4"), ("b", "|O")]))
    (True, False)
    """
    head = reader.read_at(0, _HEADER + 12)
    begin = 10 if head[6:7] == b"\x01" else 12
    size = int.from_bytes(head[8:begin], "little")
    text = head[begin : begin + size].decode("utf-8", "replace")
    if len(head) < begin + size:
        return False
    try:
        # Python 2 wrote 10L.
        header = ast.literal_eval(re.sub(r"(?<=\d)L\b", "", text).strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return isinstance(header, dict) and _are_numbers(header.get("descr"))


def _are_numbers(descr: object) -> bool:
    if isinstance(descr, str):
        return _NUMBERS.fullmatch(descr) is not None
    if isinstance(descr, tuple):  # a type, and the shape of what stands for one value
        return bool(descr) and _are_numbers(descr[0])
    return isinstance(descr, list) and all(
        isinstance(field, tuple) and len(field) > 1 and _are_numbers(field[1]) for field in descr
    )
