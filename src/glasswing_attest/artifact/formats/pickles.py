"""Is it a Python pickle?

Loading a pickle runs code, so none is loaded: its opcodes are listed as far as a window reaches (`pickletools`). What
is found is a report, not a judgement: whether a pickle is harmless is another question.

    0x80 <protocol>           a pickle of protocol 2 or later; PyTorch's older files are several of them in a row
    opcodes without a mark    any protocol may begin so; 0 and 1 always do

A loader runs opcodes as it reads them: a pickle that calls something, and is broken or cut off behind the call, has
done its work by then, and so it is one.
"""

from __future__ import annotations

import pickletools
import re

from glasswing_attest.artifact.formats.reading import Reader

__all__ = ["TORCH_MAGIC", "is_pickle"]

_WINDOW = 1 << 16
_PROTOCOLS = (b"\x02", b"\x03", b"\x04", b"\x05")
_CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_NAMES = re.compile(r"[\w.]+ [\w.]+")
# So many opcodes of a text without a mark, up to the window's end, are no accident.
_ENOUGH = 32
TORCH_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How torch.save began before it wrote archives: a pickle of one number."""


def is_pickle(reader: Reader) -> bool:
    r"""Tell whether the bytes begin with a pickle.

    >>> from glasswing_attest.artifact.formats.reading import Bytes
    >>> is_pickle(Bytes(b"\x80\x04N.")), is_pickle(Bytes(b"(lp0\n.")), is_pickle(Bytes(b"I am a text.\n"))
    (True, True, False)
    """
    window = reader.read_at(0, _WINDOW)
    if window[:1] == b"\x80" and window[1:2] in _PROTOCOLS:
        return True
    count = 0
    depth = 0
    marks: list[int] = []
    has_global = False
    try:
        for opcode, argument, _ in pickletools.genops(window):
            count += 1
            if pickletools.markobject in opcode.stack_before:
                depth = marks.pop()  # with no mark, an IndexError: no pickle
            elif opcode.name == "POP" and marks and depth == marks[-1]:
                depth = marks.pop() + 1
            if opcode.name in ("GLOBAL", "INST"):
                # A text may begin with the same letter; what it goes on with is hardly two names.
                has_global |= _NAMES.fullmatch(str(argument)) is not None
            has_global |= opcode.name == "STACK_GLOBAL"
            if opcode.name == "MARK":
                marks.append(depth)
            else:
                depth += len(opcode.stack_after) - len(
                    [x for x in opcode.stack_before if x not in (pickletools.markobject, pickletools.stackslice)]
                )
            if depth < 0:
                return False
            if has_global and opcode.name in _CALLS:
                return True
    except (ValueError, IndexError, OverflowError) as e:
        return len(window) == _WINDOW and _is_cut(str(e), count, has_global, reader.size)
    return count > 1 and depth == 0 and not marks


def _is_cut(reason: str, count: int, has_global: bool, size: int) -> bool:
    """Tell whether opcodes went on until the window ended, and not until something was no opcode."""
    wanted = re.match(r"expected (\d+) bytes", reason)
    if wanted:
        return int(wanted[1]) <= size  # one long argument, which the file has room for
    return reason.startswith(("no newline found", "pickle exhausted")) and (has_global or count >= _ENOUGH)
