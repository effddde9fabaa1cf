"""The OpenAPI 3.1 document of an API, made from its declarations. ``scripts/openapi`` writes it, the server serves it.

``python -m innkeeper.contract.openapi hathora`` prints it. Nothing here runs unless asked for.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from enum import Enum
from http import HTTPStatus
from importlib import import_module
from typing import Any, get_args

import msgspec

from .comments import comments_of
from .errors import error_for
from .operation import Api, Credential, Declared
from .plan import Parameter
from .shape import PATTERN_END

Json = dict[str, Any]


def document(api: Api, server_url: str | None = None, *, unserved: bool = False) -> Json:
    """The document, in the order of the declarations. ``server_url`` is where it is served, relative when None.

    ``unserved``: with what is declared and not served yet.
    """
    return _Writer(api, unserved=unserved).document(server_url)


class _Writer:
    """Writes one document."""

    def __init__(self, api: Api, *, unserved: bool) -> None:
        self._api = api
        self._operations = [o for o in api.operations() if o.public and (unserved or o.id not in api.not_yet)]
        self._ids = {o.name: o.id for o in self._operations}
        kinds: list[Any] = [api.error]
        for operation in self._operations:
            kinds += [p.type for p in operation.plan.parameters if p.place != "body" or operation.body == "json"]
            if not operation.streams and operation.plan.returns is not None:
                kinds.append(operation.plan.returns)
        made, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
        exact = [_exact(schema) for schema in made]
        # A union that has a title is an object of its own under that name.
        unions = {schema["title"]: schema for schema in exact if "anyOf" in schema and "title" in schema}
        self._made = [
            (kind, {"$ref": f"#/components/schemas/{schema['title']}"} if schema in unions.values() else schema)
            for kind, schema in zip(kinds, exact, strict=True)
        ]
        named = {kind.__name__: kind for root in kinds for kind in kinds_in(root)}
        found = {name: self._component(named[name], _exact(schema)) for name, schema in components.items()}
        found |= {name: {key: schema[key] for key in schema if key != "title"} for name, schema in unions.items()}
        self._components = dict(sorted(found.items()))

    def document(self, server_url: str | None) -> Json:
        paths: dict[str, Json] = {}
        for operation in self._operations:
            paths.setdefault(operation.path, {})[operation.method.lower()] = self._operation(operation)
        tags = {o.tag: None for o in self._operations}
        groups = {group.__name__: group for group in map(self._api.resource, self._api.resources)}
        errors = sorted({status for o in self._operations for status in o.errors})
        return {
            "openapi": "3.1.0",
            "info": {"title": self._api.title, "version": self._api.version},
            "servers": [{"url": server_url or "/"}],
            "tags": [{"name": tag, "description": self._text(groups[tag].__doc__)} for tag in tags],
            "paths": paths,
            "components": {
                "schemas": self._components,
                "responses": {str(status): self._fault(status) for status in errors},
                "securitySchemes": {
                    credential.name: _scheme(credential) for credential in self._api.credentials.values()
                },
            },
        }

    def _operation(self, operation: Declared) -> Json:
        plan = operation.plan
        summary, _, more = self._text(operation.__doc__).partition("\n\n")
        scope = None if operation.whose else operation.scope
        if operation.whose:
            more = f"{more}\n\nFor {operation.whose}; no scope opens it.".strip()
        elif scope:
            more = f"{more}\n\nScope: `{scope}`.".strip()
        said: Json = {"operationId": operation.id, "tags": [operation.tag], "summary": summary}
        if more:
            said["description"] = more
        if operation.replaced_by:
            said["deprecated"] = True
        said["security"] = []
        if operation.key in self._api.credentials:
            name = self._api.credentials[operation.key].name
            said["security"].append({name: [scope] if scope else []})
        if plan.path or plan.query:
            said["parameters"] = [self._parameter(parameter) for parameter in (*plan.path, *plan.query)]
        if plan.body is not None:
            said["requestBody"] = {"required": plan.body.required, **self._body(operation, plan.body)}
        content: Json = {}
        if operation.streams:
            success = {"description": "The bytes, as they come", "content": {operation.media: {}}}
        else:
            content = {} if plan.returns is None else self._json(plan.returns)
            success = {"description": HTTPStatus(operation.status).phrase, **content}
        also = {
            str(status): {"description": HTTPStatus(status).phrase, **({} if status == 204 else content)}
            for status in operation.also
        }
        errors = {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(operation.errors)}
        return {**said, "responses": {str(operation.status): success, **also, **errors}}

    def _body(self, operation: Declared, body: Parameter) -> Json:
        if operation.body == "json":
            return self._json(body.type)
        if operation.body == "bytes":
            return {"content": {"application/octet-stream": {}}}
        form: Json = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
        if body.required:
            form["required"] = ["file"]
        return {"content": {"multipart/form-data": {"schema": form}}}

    def _parameter(self, parameter: Parameter) -> Json:
        said: Json = {"name": parameter.wire, "in": parameter.place, "required": parameter.required}
        if parameter.many:
            said |= {"style": "form", "explode": True}  # the key is repeated
        return {**said, "schema": self._schema(parameter.type)}

    def _fault(self, status: int) -> Json:
        _, _, text = self._text(error_for(status).__doc__).partition(": ")
        return {"description": text[:1].upper() + text[1:], **self._json(self._api.error)}

    def _json(self, kind: Any) -> Json:
        return {"content": {"application/json": {"schema": self._schema(kind)}}}

    def _schema(self, kind: Any) -> Json:
        """The schema of a type, a reference where it has a name."""
        return next(schema for known, schema in self._made if known == kind)

    def _component(self, kind: type[Any], schema: Json) -> Json:
        """The schema of an object or enum with what the source says beside each field or member."""
        comments = comments_of(kind)
        if issubclass(kind, Enum):
            words = [f"- ``{m.value}``: {comments[m.name]}" for m in kind if m.name in comments]
            text = "\n".join([kind.__doc__ or "", "", *words] if words else [kind.__doc__ or ""])
            return {"type": "string", "enum": [m.value for m in kind], "description": self._text(text)}
        properties: Json = {}
        if tag := kind.__struct_config__.tag_field:  # what tells it from the others of its union
            properties[tag] = schema["properties"][tag]
        for field in msgspec.structs.fields(kind):
            properties[field.encode_name] = dict(schema["properties"][field.encode_name])
            if field.name in comments:
                properties[field.encode_name]["description"] = self._text(comments[field.name])
        required = {"required": schema["required"]} if schema["required"] else {}
        return {"type": "object", "description": self._text(kind.__doc__), "properties": properties, **required}

    def _text(self, text: str | None) -> str:
        """What is said to a Python programmer, said to everybody: Markdown, and the names that travel."""

        def wire(match: re.Match[str]) -> str:
            return self._ids.get(match[0]) or self._api.spelling(match[0])

        def code(match: re.Match[str]) -> str:
            return "`" + re.sub(r"\b[a-z]+(_[a-z0-9]+)+\b", wire, match[1]) + "`"

        said = re.sub(r"``(.+?)``", code, inspect.cleandoc(text or ""))
        return re.sub(r"\bNone\b", "null", re.sub(r"\bTrue\b", "true", said))


def _scheme(credential: Credential) -> Json:
    if credential.word == "Bearer":
        return {"type": "http", "scheme": "bearer", "description": credential.description}
    return {"type": "apiKey", "in": "header", "name": "authorization", "description": credential.description}


def kinds_in(kind: Any) -> list[Any]:
    """All Structs and enums that a type is made of, itself included, in the order they are met."""
    found: dict[Any, None] = {}

    def look(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, (msgspec.Struct, Enum)) and kind not in found:
            found[kind] = None
            if issubclass(kind, msgspec.Struct):
                for field in msgspec.structs.fields(kind):
                    look(field.type)
        for part in get_args(kind):
            look(part)

    look(kind)
    return list(found)


def _exact(schema: Any) -> Any:
    """A schema in JSON Schema's own words: there a pattern's ``$`` is the end and nothing else; words are strings."""
    if isinstance(schema, list):
        return [_exact(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    said = {key: _exact(value) for key, value in schema.items()}
    if isinstance(said.get("pattern"), str):
        said["pattern"] = said["pattern"].replace(PATTERN_END, "$")
    if "enum" in said and "type" not in said and all(isinstance(word, str) for word in said["enum"]):
        said = {"type": "string", **said}
    return said


def main(names: list[str]) -> None:
    """Print the document of one API."""
    (name,) = names
    api: Api = getattr(import_module(f"innkeeper.contract.{name}"), name.upper())
    json.dump(document(api), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
