"""What is a file of a model for?

The roles are those in which Hugging Face's libraries lay a model out: weights, adapter, tokenizer, template, config,
code, and other. A name decides, because loaders go by names; where it says nothing, what the file holds does.
"""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["Role", "role_of"]


class Role(StrEnum):
    """What a file of a model is for."""

    WEIGHTS = "weights"
    ADAPTER = "adapter"
    TOKENIZER = "tokenizer"
    TEMPLATE = "template"
    CONFIG = "config"
    CODE = "code"
    OTHER = "other"


_TOKENIZER = r"tokenizer.*\.(json|model|txt)|vocab\.(json|txt|bpe)|merges\.txt|special_tokens_map\.json|.*\.tiktoken"
_CONFIG = r".*config.*\.json|.*\.index\.json|(model_index|params)\.json|.*\.(ya?ml|toml|ini|cfg)"
_CODE = r".*\.(py|pyc|pyd|so|dll|dylib|sh|bat|ps1|ipynb|m?js|c|cc|cpp|cu|h|hpp|rs|go|java|jar|class)"
_WEIGHTS = r".*\.(safetensors|gguf|ggml|onnx|onnx_data|ort|bin|pt|pth|pt2|ckpt|h5|hdf5|keras|msgpack|tflite|pb)"
# The first that matches the whole last part of the name, in lower case.
_NAMES = (
    (r"adapter_(model|config)\..*|pytorch_lora_weights\..*|.*-lora\.gguf", Role.ADAPTER),
    (r"chat_template\.(json|txt)|.*\.(jinja|j2)", Role.TEMPLATE),
    (_TOKENIZER, Role.TOKENIZER),
    (r"added_tokens\.json|spiece\.model|.*\.bpe\.model|(source|target)\.spm|tekken\.json", Role.TOKENIZER),
    (_CONFIG, Role.CONFIG),
    (_CODE, Role.CODE),
    (_WEIGHTS, Role.WEIGHTS),
    (r".*\.(pkl|pickle|joblib|dill|npy|npz|mlmodel|ubj|cbm|model|params|pdparams|t7)", Role.WEIGHTS),
)
_PATTERNS = tuple((re.compile(pattern), role) for pattern, role in _NAMES)
_PROGRAMS = (b"#!", b"\x7fELF", b"MZ", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def role_of(name: str, head: bytes = b"", model_format: str = "") -> Role:
    r"""Give the role of a file, by its name, its first bytes and the format that was found in it.

    >>> role_of("tokenizer_config.json"), role_of("modeling_acme.py"), role_of("run", b"#!/bin/sh\n")
    (<Role.TOKENIZER: 'tokenizer'>, <Role.CODE: 'code'>, <Role.CODE: 'code'>)
    """
    base = name.rpartition("/")[2].lower()
    for pattern, role in _PATTERNS:
        if pattern.fullmatch(base):
            return role
    if head.startswith(_PROGRAMS):
        return Role.CODE
    return Role.WEIGHTS if model_format else Role.OTHER
