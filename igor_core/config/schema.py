"""The JSON schema of the config, for editors, generated from the model."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, is_dataclass
from typing import Any, Literal, get_args, get_origin

from igor_core.config.check import IGNORED, either, keys, mandatory, required
from igor_core.config.model import Config
from igor_core.config.rules import Key, Rule

Schema = dict[str, Any]


def schema() -> Schema:
    """Return the schema in draft 7, the last one that all editors fully support.

    vscode-json-language-server shows `errorMessage`; others ignore it.
    """
    table = _table(Config)
    table["properties"] = {IGNORED: {"type": "string"}, **table["properties"]}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": ".igor/config.json",
        **table,
    }


def _table(kind: Any) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in keys(kind) if mandatory(field)],
        "properties": {field.name: _property(field) for field in keys(kind)},
        **_either(either(kind)),
    }


def _either(names: tuple[str, ...]) -> Schema:
    return {"oneOf": [{"required": [name]} for name in names]} if names else {}


def _property(field: "Field[Any]") -> Schema:
    key: Key = field.metadata["key"]
    return {"description": key.description, **_value(field.type, key), **_default(field)}


def _default(field: "Field[Any]") -> Schema:
    """Only a default that is the same for everybody; the description names the others."""
    if field.default is MISSING or field.default is None:
        return {}
    return {"default": list(field.default) if field.default == () else field.default}


def _value(annotation: Any, key: Key) -> Schema:
    kind = required(annotation)
    if is_dataclass(kind):
        return _table(kind)
    if get_origin(kind) is Mapping:
        return _mapping(get_args(kind)[1], key)
    if get_origin(kind) is tuple:
        return _list(get_args(kind)[0], key)
    if get_origin(kind) is Literal:
        return {"type": "string", "enum": list(get_args(kind))}
    if kind is bool:
        return {"type": "boolean"}
    if kind in (int, float):
        name = "integer" if kind is int else "number"
        return {"type": name, "minimum": key.minimum, "maximum": key.maximum}
    return {"type": "string", **_refused(key.rules)}


def _mapping(element: Any, key: Key) -> Schema:
    return {
        "type": "object",
        **({"minProperties": 1} if key.filled else {}),
        "propertyNames": _refused(key.names),
        "additionalProperties": _value(element, Key("", rules=key.rules)),
    }


def _list(element: Any, key: Key) -> Schema:
    return {
        "type": "array",
        **({"minItems": 1} if key.filled else {}),
        **({"uniqueItems": True} if key.distinct else {}),
        "items": _value(element, Key("", rules=key.rules)),
    }


def _refused(rules: tuple[Rule, ...]) -> Schema:
    refused = [{"not": {"pattern": r.refuse}, "errorMessage": r.sentence} for r in rules]
    return {"allOf": refused} if refused else {}
