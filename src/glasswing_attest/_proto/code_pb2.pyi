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

class ReviewOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_OUTCOME_UNSPECIFIED: _ClassVar[ReviewOutcome]
    REVIEW_OUTCOME_APPROVED: _ClassVar[ReviewOutcome]
    REVIEW_OUTCOME_CHANGES_REQUESTED: _ClassVar[ReviewOutcome]
    REVIEW_OUTCOME_COMMENTED: _ClassVar[ReviewOutcome]
    REVIEW_OUTCOME_DISMISSED: _ClassVar[ReviewOutcome]
REVIEW_OUTCOME_UNSPECIFIED: ReviewOutcome
REVIEW_OUTCOME_APPROVED: ReviewOutcome
REVIEW_OUTCOME_CHANGES_REQUESTED: ReviewOutcome
REVIEW_OUTCOME_COMMENTED: ReviewOutcome
REVIEW_OUTCOME_DISMISSED: ReviewOutcome

class Review(_message.Message):
    __slots__ = ("reviewer", "outcome", "time")
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    reviewer: str
    outcome: ReviewOutcome
    time: _timestamp_pb2.Timestamp
    def __init__(self, reviewer: _Optional[str] = ..., outcome: _Optional[_Union[ReviewOutcome, str]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, _Any]]] = ...) -> None: ...

class CodeRecord(_message.Message):
    __slots__ = ("name", "version", "license", "repository", "commit", "tree", "ref", "dirty", "reviews", "lock_files", "dependencies", "source_tree")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    REPOSITORY_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    DIRTY_FIELD_NUMBER: _ClassVar[int]
    REVIEWS_FIELD_NUMBER: _ClassVar[int]
    LOCK_FILES_FIELD_NUMBER: _ClassVar[int]
    DEPENDENCIES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_TREE_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    license: str
    repository: str
    commit: str
    tree: str
    ref: str
    dirty: bool
    reviews: _containers.RepeatedCompositeFieldContainer[Review]
    lock_files: _containers.RepeatedCompositeFieldContainer[_common_pb2.ResourceReference]
    dependencies: _containers.RepeatedCompositeFieldContainer[_common_pb2.ResourceReference]
    source_tree: _common_pb2.TreeSummary
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., license: _Optional[str] = ..., repository: _Optional[str] = ..., commit: _Optional[str] = ..., tree: _Optional[str] = ..., ref: _Optional[str] = ..., dirty: bool = ..., reviews: _Optional[_Iterable[_Union[Review, _Mapping[str, _Any]]]] = ..., lock_files: _Optional[_Iterable[_Union[_common_pb2.ResourceReference, _Mapping[str, _Any]]]] = ..., dependencies: _Optional[_Iterable[_Union[_common_pb2.ResourceReference, _Mapping[str, _Any]]]] = ..., source_tree: _Optional[_Union[_common_pb2.TreeSummary, _Mapping[str, _Any]]] = ...) -> None: ...
