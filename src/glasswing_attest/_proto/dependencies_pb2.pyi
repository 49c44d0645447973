# Generated from proto/ by tools/generate_proto.py (`make proto`). Not edited by hand.
from . import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InstalledAs(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INSTALLED_AS_UNSPECIFIED: _ClassVar[InstalledAs]
    INSTALLED_AS_INDEX: _ClassVar[InstalledAs]
    INSTALLED_AS_DIRECT_URL: _ClassVar[InstalledAs]
    INSTALLED_AS_VCS: _ClassVar[InstalledAs]
    INSTALLED_AS_EDITABLE: _ClassVar[InstalledAs]
    INSTALLED_AS_DIRECTORY: _ClassVar[InstalledAs]
    INSTALLED_AS_UNKNOWN: _ClassVar[InstalledAs]

class DigestOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIGEST_ORIGIN_UNSPECIFIED: _ClassVar[DigestOrigin]
    DIGEST_ORIGIN_ARTIFACT: _ClassVar[DigestOrigin]
    DIGEST_ORIGIN_LOCK: _ClassVar[DigestOrigin]
    DIGEST_ORIGIN_DIRECT_URL: _ClassVar[DigestOrigin]
    DIGEST_ORIGIN_DECLARED: _ClassVar[DigestOrigin]
INSTALLED_AS_UNSPECIFIED: InstalledAs
INSTALLED_AS_INDEX: InstalledAs
INSTALLED_AS_DIRECT_URL: InstalledAs
INSTALLED_AS_VCS: InstalledAs
INSTALLED_AS_EDITABLE: InstalledAs
INSTALLED_AS_DIRECTORY: InstalledAs
INSTALLED_AS_UNKNOWN: InstalledAs
DIGEST_ORIGIN_UNSPECIFIED: DigestOrigin
DIGEST_ORIGIN_ARTIFACT: DigestOrigin
DIGEST_ORIGIN_LOCK: DigestOrigin
DIGEST_ORIGIN_DIRECT_URL: DigestOrigin
DIGEST_ORIGIN_DECLARED: DigestOrigin

class PackageArtifact(_message.Message):
    __slots__ = ("name", "url", "digest", "size")
    class DigestEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    name: str
    url: str
    digest: _containers.ScalarMap[str, str]
    size: int
    def __init__(self, name: _Optional[str] = ..., url: _Optional[str] = ..., digest: _Optional[_Mapping[str, str]] = ..., size: _Optional[int] = ...) -> None: ...

class PinnedPackage(_message.Message):
    __slots__ = ("name", "version", "purl", "installed_as", "url", "vcs", "commit", "subdirectory", "artifacts", "digest_origin", "marker", "requires_python", "tags", "installer", "record_sha256", "dir_hash")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PURL_FIELD_NUMBER: _ClassVar[int]
    INSTALLED_AS_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    VCS_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    SUBDIRECTORY_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_PYTHON_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    INSTALLER_FIELD_NUMBER: _ClassVar[int]
    RECORD_SHA256_FIELD_NUMBER: _ClassVar[int]
    DIR_HASH_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    purl: str
    installed_as: InstalledAs
    url: str
    vcs: str
    commit: str
    subdirectory: str
    artifacts: _containers.RepeatedCompositeFieldContainer[PackageArtifact]
    digest_origin: DigestOrigin
    marker: str
    requires_python: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    installer: str
    record_sha256: str
    dir_hash: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., purl: _Optional[str] = ..., installed_as: _Optional[_Union[InstalledAs, str]] = ..., url: _Optional[str] = ..., vcs: _Optional[str] = ..., commit: _Optional[str] = ..., subdirectory: _Optional[str] = ..., artifacts: _Optional[_Iterable[_Union[PackageArtifact, _Mapping[str, _Any]]]] = ..., digest_origin: _Optional[_Union[DigestOrigin, str]] = ..., marker: _Optional[str] = ..., requires_python: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., installer: _Optional[str] = ..., record_sha256: _Optional[str] = ..., dir_hash: _Optional[str] = ...) -> None: ...

class DependencyRecord(_message.Message):
    __slots__ = ("name", "packages", "tree", "markers", "requires_python", "lock", "environments", "default_groups")
    class MarkersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    PACKAGES_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    MARKERS_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_PYTHON_FIELD_NUMBER: _ClassVar[int]
    LOCK_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENTS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_GROUPS_FIELD_NUMBER: _ClassVar[int]
    name: str
    packages: _containers.RepeatedCompositeFieldContainer[PinnedPackage]
    tree: _common_pb2.TreeSummary
    markers: _containers.ScalarMap[str, str]
    requires_python: str
    lock: _common_pb2.ResourceReference
    environments: _containers.RepeatedScalarFieldContainer[str]
    default_groups: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., packages: _Optional[_Iterable[_Union[PinnedPackage, _Mapping[str, _Any]]]] = ..., tree: _Optional[_Union[_common_pb2.TreeSummary, _Mapping[str, _Any]]] = ..., markers: _Optional[_Mapping[str, str]] = ..., requires_python: _Optional[str] = ..., lock: _Optional[_Union[_common_pb2.ResourceReference, _Mapping[str, _Any]]] = ..., environments: _Optional[_Iterable[str]] = ..., default_groups: _Optional[_Iterable[str]] = ...) -> None: ...
