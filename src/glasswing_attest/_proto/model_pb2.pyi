# Generated from proto/ by tools/generate_proto.py (`make proto`). Not edited by hand.
from . import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ModelFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_FORMAT_UNSPECIFIED: _ClassVar[ModelFormat]
    MODEL_FORMAT_SAFETENSORS: _ClassVar[ModelFormat]
    MODEL_FORMAT_GGUF: _ClassVar[ModelFormat]
    MODEL_FORMAT_ONNX: _ClassVar[ModelFormat]
    MODEL_FORMAT_PICKLE: _ClassVar[ModelFormat]
    MODEL_FORMAT_PYTORCH: _ClassVar[ModelFormat]
    MODEL_FORMAT_TORCHSCRIPT: _ClassVar[ModelFormat]
    MODEL_FORMAT_SAVED_MODEL: _ClassVar[ModelFormat]
    MODEL_FORMAT_KERAS: _ClassVar[ModelFormat]
    MODEL_FORMAT_TFLITE: _ClassVar[ModelFormat]
    MODEL_FORMAT_NUMPY: _ClassVar[ModelFormat]
    MODEL_FORMAT_TREE_ENSEMBLE: _ClassVar[ModelFormat]
    MODEL_FORMAT_OTHER: _ClassVar[ModelFormat]

class Relation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELATION_UNSPECIFIED: _ClassVar[Relation]
    RELATION_FINE_TUNE: _ClassVar[Relation]
    RELATION_ADAPTER: _ClassVar[Relation]
    RELATION_MERGE: _ClassVar[Relation]
    RELATION_QUANTISE: _ClassVar[Relation]
    RELATION_DISTIL: _ClassVar[Relation]
MODEL_FORMAT_UNSPECIFIED: ModelFormat
MODEL_FORMAT_SAFETENSORS: ModelFormat
MODEL_FORMAT_GGUF: ModelFormat
MODEL_FORMAT_ONNX: ModelFormat
MODEL_FORMAT_PICKLE: ModelFormat
MODEL_FORMAT_PYTORCH: ModelFormat
MODEL_FORMAT_TORCHSCRIPT: ModelFormat
MODEL_FORMAT_SAVED_MODEL: ModelFormat
MODEL_FORMAT_KERAS: ModelFormat
MODEL_FORMAT_TFLITE: ModelFormat
MODEL_FORMAT_NUMPY: ModelFormat
MODEL_FORMAT_TREE_ENSEMBLE: ModelFormat
MODEL_FORMAT_OTHER: ModelFormat
RELATION_UNSPECIFIED: Relation
RELATION_FINE_TUNE: Relation
RELATION_ADAPTER: Relation
RELATION_MERGE: Relation
RELATION_QUANTISE: Relation
RELATION_DISTIL: Relation

class BaseModel(_message.Message):
    __slots__ = ("name", "uri", "digest", "relation")
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
    RELATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    uri: str
    digest: _containers.ScalarMap[str, str]
    relation: Relation
    def __init__(self, name: _Optional[str] = ..., uri: _Optional[str] = ..., digest: _Optional[_Mapping[str, str]] = ..., relation: _Optional[_Union[Relation, str]] = ...) -> None: ...

class Evaluation(_message.Message):
    __slots__ = ("metric", "value", "dataset", "split", "harness")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    HARNESS_FIELD_NUMBER: _ClassVar[int]
    metric: str
    value: str
    dataset: _common_pb2.ResourceReference
    split: str
    harness: _common_pb2.ResourceReference
    def __init__(self, metric: _Optional[str] = ..., value: _Optional[str] = ..., dataset: _Optional[_Union[_common_pb2.ResourceReference, _Mapping[str, _Any]]] = ..., split: _Optional[str] = ..., harness: _Optional[_Union[_common_pb2.ResourceReference, _Mapping[str, _Any]]] = ...) -> None: ...

class ModelRecord(_message.Message):
    __slots__ = ("name", "version", "license", "tree", "formats", "architecture", "parameter_count", "dtype", "tokenizer", "base_models", "datasets", "code", "evaluations", "model_card")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    FORMATS_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_COUNT_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    TOKENIZER_FIELD_NUMBER: _ClassVar[int]
    BASE_MODELS_FIELD_NUMBER: _ClassVar[int]
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    MODEL_CARD_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    license: str
    tree: _common_pb2.TreeSummary
    formats: _containers.RepeatedScalarFieldContainer[ModelFormat]
    architecture: str
    parameter_count: int
    dtype: str
    tokenizer: _common_pb2.ResourceReference
    base_models: _containers.RepeatedCompositeFieldContainer[BaseModel]
    datasets: _containers.RepeatedCompositeFieldContainer[_common_pb2.ResourceReference]
    code: _containers.RepeatedCompositeFieldContainer[_common_pb2.ResourceReference]
    evaluations: _containers.RepeatedCompositeFieldContainer[Evaluation]
    model_card: _common_pb2.ResourceReference
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., license: _Optional[str] = ..., tree: _Optional[_Union[_common_pb2.TreeSummary, _Mapping[str, _Any]]] = ..., formats: _Optional[_Iterable[_Union[ModelFormat, str]]] = ..., architecture: _Optional[str] = ..., parameter_count: _Optional[int] = ..., dtype: _Optional[str] = ..., tokenizer: _Optional[_Union[_common_pb2.ResourceReference, _Mapping[str, _Any]]] = ..., base_models: _Optional[_Iterable[_Union[BaseModel, _Mapping[str, _Any]]]] = ..., datasets: _Optional[_Iterable[_Union[_common_pb2.ResourceReference, _Mapping[str, _Any]]]] = ..., code: _Optional[_Iterable[_Union[_common_pb2.ResourceReference, _Mapping[str, _Any]]]] = ..., evaluations: _Optional[_Iterable[_Union[Evaluation, _Mapping[str, _Any]]]] = ..., model_card: _Optional[_Union[_common_pb2.ResourceReference, _Mapping[str, _Any]]] = ...) -> None: ...
