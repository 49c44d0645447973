"""Is it a Python pickle?

Loading a pickle runs code, so none is loaded: its opcodes are walked through, as far as a window reaches. What is found
is a report, not a judgement: whether a pickle is harmless is another question.

    0x80 <protocol>           a pickle of protocol 2 or later; PyTorch's older files are several of them in a row
    opcodes without a mark    any protocol may begin so; 0 and 1 always do

A loader runs opcodes as it reads them: a pickle that calls something, and is broken or cut off behind the call, has
done its work by then, and so it is one. Arguments are read at least as leniently as loaders read them. A text without a
line end may fill the window: what comes behind it nobody looked at, and then neither yes nor no is said.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Iterator

from glasswing_attest.artifact.formats.reading import Reader

__all__ = ["TORCH_MAGIC", "is_pickle"]

_WINDOW = 1 << 16
_PROTOCOLS = (b"\x02", b"\x03", b"\x04", b"\x05")
_CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_NAMES = re.compile(r"[\w.]+ [\w.]+")
# So many opcodes of a text without a mark, up to the window's end, are no accident.
_ENOUGH = 32
_INTEGER = re.compile(rb"\s*[-+]?[0-9][0-9a-fA-FxXoO_]*[lL]?\s*")
_NUMBER = re.compile(rb"[\w.+ -]*")
_OPCODES = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
_SIZES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
TORCH_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How torch.save began before it wrote archives: a pickle of one number."""


def is_pickle(reader: Reader) -> bool | None:
    r"""Tell whether the bytes begin with a pickle; None where it cannot be told from as many as are looked at.

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
        for opcode, argument in _opcodes(window, reader.size):
            count += 1
            if pickletools.markobject in opcode.stack_before:
                depth = marks.pop()  # with no mark, an IndexError: no pickle
            elif opcode.name == "POP" and marks and depth == marks[-1]:
                depth = marks.pop() + 1
            if opcode.name in ("GLOBAL", "INST"):
                # A text may begin with the same letter; what it goes on with is hardly two names.
                has_global |= _NAMES.fullmatch(argument.decode("utf-8", "replace")) is not None
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
    except (ValueError, IndexError):
        return False
    except _LongArgumentError:
        return True
    except _CutError:
        if len(window) < _WINDOW:
            return False  # there is no more, and a loader stops here
        return True if has_global or count >= _ENOUGH else None
    return count > 1 and depth == 0 and not marks


class _CutError(Exception):
    """The window ended, and opcodes went on."""


class _LongArgumentError(Exception):
    """An argument is longer than the window, and the file has room for it."""


def _opcodes(window: bytes, size: int) -> Iterator[tuple[pickletools.OpcodeInfo, bytes]]:
    """Give opcodes with their arguments, up to the one that ends a pickle. Raises `ValueError` for what is none."""
    at = 0
    while at < len(window):
        opcode = _OPCODES.get(window[at])
        if opcode is None:
            raise ValueError(at)
        at += 1
        count = 0 if opcode.arg is None else opcode.arg.n
        if count == pickletools.UP_TO_NEWLINE:
            lines = []
            for _ in range(2 if opcode.name in ("GLOBAL", "INST") else 1):
                end = window.find(b"\n", at)
                line = window[at : end if end >= 0 else None]
                _check_line(opcode.name, line, is_whole=end >= 0)
                lines.append(line)
                at += len(line) + 1
            argument = b" ".join(lines)
        else:
            if count < 0:
                width = _SIZES[count]
                count = int.from_bytes(window[at : at + width], "little")
                at += width
            if at > len(window):
                raise _CutError
            if at + count > size:
                raise ValueError(at)
            if at + count > len(window):
                raise _LongArgumentError
            argument = window[at : at + count]
            at += count
        yield opcode, argument
        if opcode.name == "STOP":
            return
    raise _CutError


def _check_line(name: str, line: bytes, *, is_whole: bool) -> None:
    """Refuse a line that no loader takes for the argument of this opcode. What is cut may go on in any way."""
    if name == "STRING":
        is_one = line[:1] in (b"'", b'"') and (not is_whole or (len(line) > 1 and line[:1] == line[-1:]))
    elif name in ("INT", "LONG", "PUT", "GET", "FLOAT") and not is_whole:
        is_one = _NUMBER.fullmatch(line) is not None
    elif name in ("INT", "LONG", "PUT", "GET"):
        is_one = _INTEGER.fullmatch(line) is not None
    elif name == "FLOAT":
        float(line)  # a ValueError where it is none
        is_one = True
    else:
        # A module whose name fills the window is none that could be imported.
        is_one = is_whole or name not in ("GLOBAL", "INST")
    if not is_one:
        raise ValueError(name)
    if not is_whole:
        raise _CutError
