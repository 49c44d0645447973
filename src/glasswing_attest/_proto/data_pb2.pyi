# Generated from proto/ by tools/generate_proto.py (`make proto`). Not edited by hand.
import datetime
from . import common_pb2 as _common_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Consent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENT_UNSPECIFIED: _ClassVar[Consent]
    CONSENT_OBTAINED: _ClassVar[Consent]
    CONSENT_PARTIAL: _ClassVar[Consent]
    CONSENT_NOT_OBTAINED: _ClassVar[Consent]
    CONSENT_NOT_REQUIRED: _ClassVar[Consent]

class Sensitivity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SENSITIVITY_UNSPECIFIED: _ClassVar[Sensitivity]
    SENSITIVITY_PUBLIC: _ClassVar[Sensitivity]
    SENSITIVITY_INTERNAL: _ClassVar[Sensitivity]
    SENSITIVITY_CONFIDENTIAL: _ClassVar[Sensitivity]
    SENSITIVITY_PERSONAL: _ClassVar[Sensitivity]
    SENSITIVITY_SPECIAL_CATEGORY: _ClassVar[Sensitivity]
CONSENT_UNSPECIFIED: Consent
CONSENT_OBTAINED: Consent
CONSENT_PARTIAL: Consent
CONSENT_NOT_OBTAINED: Consent
CONSENT_NOT_REQUIRED: Consent
SENSITIVITY_UNSPECIFIED: Sensitivity
SENSITIVITY_PUBLIC: Sensitivity
SENSITIVITY_INTERNAL: Sensitivity
SENSITIVITY_CONFIDENTIAL: Sensitivity
SENSITIVITY_PERSONAL: Sensitivity
SENSITIVITY_SPECIAL_CATEGORY: Sensitivity

class DataSource(_message.Message):
    __slots__ = ("name", "uri", "digest", "license")
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
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    name: str
    uri: str
    digest: _containers.ScalarMap[str, str]
    license: str
    def __init__(self, name: _Optional[str] = ..., uri: _Optional[str] = ..., digest: _Optional[_Mapping[str, str]] = ..., license: _Optional[str] = ...) -> None: ...

class Transformation(_message.Message):
    __slots__ = ("name", "description", "code", "parameters")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    code: _common_pb2.ResourceReference
    parameters: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., code: _Optional[_Union[_common_pb2.ResourceReference, _Mapping[str, _Any]]] = ..., parameters: _Optional[_Mapping[str, str]] = ...) -> None: ...

class RowDigest(_message.Message):
    __slots__ = ("encoding", "count", "ordered", "unordered")
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ORDERED_FIELD_NUMBER: _ClassVar[int]
    UNORDERED_FIELD_NUMBER: _ClassVar[int]
    encoding: str
    count: int
    ordered: str
    unordered: str
    def __init__(self, encoding: _Optional[str] = ..., count: _Optional[int] = ..., ordered: _Optional[str] = ..., unordered: _Optional[str] = ...) -> None: ...

class Split(_message.Message):
    __slots__ = ("name", "files", "records", "paths", "rows")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    name: str
    files: int
    records: int
    paths: _containers.RepeatedScalarFieldContainer[str]
    rows: RowDigest
    def __init__(self, name: _Optional[str] = ..., files: _Optional[int] = ..., records: _Optional[int] = ..., paths: _Optional[_Iterable[str]] = ..., rows: _Optional[_Union[RowDigest, _Mapping[str, _Any]]] = ...) -> None: ...

class SchemaField(_message.Message):
    __slots__ = ("name", "dtype", "description", "unit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: str
    description: str
    unit: str
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[str] = ..., description: _Optional[str] = ..., unit: _Optional[str] = ...) -> None: ...

class Period(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, _Any]]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, _Any]]] = ...) -> None: ...

class ExtendedDataset(_message.Message):
    __slots__ = ("name", "version", "uri", "digest", "files", "merkle_root")
    class DigestEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    MERKLE_ROOT_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    uri: str
    digest: _containers.ScalarMap[str, str]
    files: int
    merkle_root: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., uri: _Optional[str] = ..., digest: _Optional[_Mapping[str, str]] = ..., files: _Optional[int] = ..., merkle_root: _Optional[str] = ...) -> None: ...

class DataRecord(_message.Message):
    __slots__ = ("name", "version", "license", "tree", "sources", "transformations", "splits", "schema_fields", "collection_period", "consent", "consent_basis", "sensitivity", "extends", "rows")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    TRANSFORMATIONS_FIELD_NUMBER: _ClassVar[int]
    SPLITS_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELDS_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_PERIOD_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    CONSENT_BASIS_FIELD_NUMBER: _ClassVar[int]
    SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    EXTENDS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    license: str
    tree: _common_pb2.TreeSummary
    sources: _containers.RepeatedCompositeFieldContainer[DataSource]
    transformations: _containers.RepeatedCompositeFieldContainer[Transformation]
    splits: _containers.RepeatedCompositeFieldContainer[Split]
    schema_fields: _containers.RepeatedCompositeFieldContainer[SchemaField]
    collection_period: Period
    consent: Consent
    consent_basis: str
    sensitivity: Sensitivity
    extends: ExtendedDataset
    rows: RowDigest
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., license: _Optional[str] = ..., tree: _Optional[_Union[_common_pb2.TreeSummary, _Mapping[str, _Any]]] = ..., sources: _Optional[_Iterable[_Union[DataSource, _Mapping[str, _Any]]]] = ..., transformations: _Optional[_Iterable[_Union[Transformation, _Mapping[str, _Any]]]] = ..., splits: _Optional[_Iterable[_Union[Split, _Mapping[str, _Any]]]] = ..., schema_fields: _Optional[_Iterable[_Union[SchemaField, _Mapping[str, _Any]]]] = ..., collection_period: _Optional[_Union[Period, _Mapping[str, _Any]]] = ..., consent: _Optional[_Union[Consent, str]] = ..., consent_basis: _Optional[str] = ..., sensitivity: _Optional[_Union[Sensitivity, str]] = ..., extends: _Optional[_Union[ExtendedDataset, _Mapping[str, _Any]]] = ..., rows: _Optional[_Union[RowDigest, _Mapping[str, _Any]]] = ...) -> None: ...
