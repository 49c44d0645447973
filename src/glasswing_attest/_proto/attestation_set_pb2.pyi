# Generated from proto/ by tools/generate_proto.py (`make proto`). Not edited by hand.
import datetime
from . import manifest_pb2 as _manifest_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttestationSetHeader(_message.Message):
    __slots__ = ("format_version", "created", "producer")
    FORMAT_VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    format_version: int
    created: _timestamp_pb2.Timestamp
    producer: str
    def __init__(self, format_version: _Optional[int] = ..., created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, _Any]]] = ..., producer: _Optional[str] = ...) -> None: ...

class AttestationSetEnd(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: int
    def __init__(self, items: _Optional[int] = ...) -> None: ...

class AttestationSetItem(_message.Message):
    __slots__ = ("header", "attestation", "manifest", "end")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    header: AttestationSetHeader
    attestation: bytes
    manifest: _manifest_pb2.Manifest
    end: AttestationSetEnd
    def __init__(self, header: _Optional[_Union[AttestationSetHeader, _Mapping[str, _Any]]] = ..., attestation: _Optional[bytes] = ..., manifest: _Optional[_Union[_manifest_pb2.Manifest, _Mapping[str, _Any]]] = ..., end: _Optional[_Union[AttestationSetEnd, _Mapping[str, _Any]]] = ...) -> None: ...
