"""How does an editor know what a policy may say?

As JSON Schema (2020-12), made from the model that reads policies. Whatever the model accepts from a file, the schema
accepts; the schema refuses unknown keys, wrong types and forms, and the model refuses more: what only makes sense
together, and names that nothing has. The schema ships beside this module, as ``policy.schema.json``.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue

from glasswing_attest.policy.policy import Policy

__all__ = ["FILE", "generated", "shipped"]

FILE = "policy.schema.json"
_ID = "https://glasswing-attest.readthedocs.io/schemas/policy/v1.json"


class _Generate(GenerateJsonSchema):
    """As pydantic does, but told for who writes a policy: without its guesses at titles."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  # as pydantic declares it

    def generate(self, schema: Any, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return {"$schema": self.schema_dialect, "$id": _ID, **_counted(super().generate(schema, mode))}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _counted(schema: Any) -> Any:
    """Give bounds their names: pydantic calls the length of whatever a function reads first that of a text."""
    if isinstance(schema, list):
        return [_counted(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    names = _BOUNDS.get(schema.get("type", ""), {}) if isinstance(schema.get("type"), str) else {}
    found = {names.get(name, name): _counted(item) for name, item in schema.items()}
    # An editor need not check formats; a date alone is the slip that is made.
    return {**found, "pattern": _TIME} if found.get("format") == "date-time" else found


_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
_BOUNDS = {
    "array": {"minLength": "minItems", "maxLength": "maxItems"},
    "object": {"minLength": "minProperties", "maxLength": "maxProperties"},
}


def generated() -> str:
    """Make the schema from the model."""
    return json.dumps(Policy.model_json_schema(schema_generator=_Generate), indent=2, ensure_ascii=False) + "\n"


def shipped() -> str:
    """Give the schema that this version ships."""
    return resources.files("glasswing_attest.policy").joinpath(FILE).read_text("utf-8")
