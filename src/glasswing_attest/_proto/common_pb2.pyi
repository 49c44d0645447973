# Generated from proto/ by tools/generate_proto.py (`make proto`). Not edited by hand.
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ResourceReference(_message.Message):
    __slots__ = ("name", "uri", "digest")
    class DigestEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    uri: str
    digest: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., uri: _Optional[str] = ..., digest: _Optional[_Mapping[str, str]] = ...) -> None: ...

class TreeSummary(_message.Message):
    __slots__ = ("dir_hash", "files", "total_bytes", "merkle_root", "excluded", "manifest_tree_size", "manifest_tree_root")
    DIR_HASH_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    MERKLE_ROOT_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_TREE_ROOT_FIELD_NUMBER: _ClassVar[int]
    dir_hash: str
    files: int
    total_bytes: int
    merkle_root: str
    excluded: _containers.RepeatedScalarFieldContainer[str]
    manifest_tree_size: int
    manifest_tree_root: str
    def __init__(self, dir_hash: _Optional[str] = ..., files: _Optional[int] = ..., total_bytes: _Optional[int] = ..., merkle_root: _Optional[str] = ..., excluded: _Optional[_Iterable[str]] = ..., manifest_tree_size: _Optional[int] = ..., manifest_tree_root: _Optional[str] = ...) -> None: ...
