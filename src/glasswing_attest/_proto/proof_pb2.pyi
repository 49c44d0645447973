# Generated from proto/ by tools/generate_proto.py (`make proto`). Not edited by hand.
from . import manifest_pb2 as _manifest_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Directory(_message.Message):
    __slots__ = ("name", "files", "total_bytes", "dir_hash", "merkle_root")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    DIR_HASH_FIELD_NUMBER: _ClassVar[int]
    MERKLE_ROOT_FIELD_NUMBER: _ClassVar[int]
    name: str
    files: int
    total_bytes: int
    dir_hash: str
    merkle_root: str
    def __init__(self, name: _Optional[str] = ..., files: _Optional[int] = ..., total_bytes: _Optional[int] = ..., dir_hash: _Optional[str] = ..., merkle_root: _Optional[str] = ...) -> None: ...

class ManifestTree(_message.Message):
    __slots__ = ("directories", "files")
    DIRECTORIES_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    directories: _containers.RepeatedCompositeFieldContainer[Directory]
    files: _containers.RepeatedCompositeFieldContainer[_manifest_pb2.FileEntry]
    def __init__(self, directories: _Optional[_Iterable[_Union[Directory, _Mapping[str, _Any]]]] = ..., files: _Optional[_Iterable[_Union[_manifest_pb2.FileEntry, _Mapping[str, _Any]]]] = ...) -> None: ...

class InclusionProof(_message.Message):
    __slots__ = ("file", "directory", "index", "tree_size", "hashes")
    FILE_FIELD_NUMBER: _ClassVar[int]
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    file: _manifest_pb2.FileEntry
    directory: Directory
    index: int
    tree_size: int
    hashes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, file: _Optional[_Union[_manifest_pb2.FileEntry, _Mapping[str, _Any]]] = ..., directory: _Optional[_Union[Directory, _Mapping[str, _Any]]] = ..., index: _Optional[int] = ..., tree_size: _Optional[int] = ..., hashes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ConsistencyProof(_message.Message):
    __slots__ = ("old_size", "new_size", "hashes")
    OLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    NEW_SIZE_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    old_size: int
    new_size: int
    hashes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, old_size: _Optional[int] = ..., new_size: _Optional[int] = ..., hashes: _Optional[_Iterable[bytes]] = ...) -> None: ...
