"""What `/openapi.json` says beyond what FastAPI reads off the routes: refusals, and who may come in.

https://spec.openapis.org/oas/v3.1.1.html
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from web.access.keys import Keys
from web.problems import PROBLEM_TYPE, Problem

_Document = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]

TEXT = {"schema": {"type": "string"}}
_RETRY = {
    "Retry-After": {
        "description": "Seconds until another try is worth it.",
        "schema": {"type": "string"},
    }
}
_HEADERS = {401: {"WWW-Authenticate": TEXT}, 503: _RETRY}
_EVERYWHERE: tuple[int, ...] = (403, 408, 413)
"""What the guard in front refuses: a name or page that is not ours, a body too slow or too long."""


def refuses(*statuses: int) -> Responses:
    """Return the `responses` of a route that may refuse with these statuses."""
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found: Responses = {}
    for status in statuses:
        found[status] = {"description": HTTPStatus(status).phrase, "content": content}
        if status in _HEADERS:
            found[status]["headers"] = _HEADERS[status]
    return found


def takes(media_type: str) -> _Document:
    """Return the `openapi_extra` of a route that reads its body itself."""
    return {"requestBody": {"required": True, "content": {media_type: TEXT}}}


def gives(media_type: str, description: str, **headers: str) -> _Document:
    """Return the entry in `responses` for a body that is no JSON."""
    schema = {"type": "string"} | ({"format": "binary"} if media_type.startswith("image/") else {})
    said = {name.replace("_", "-"): {"description": text, **TEXT} for name, text in headers.items()}
    return {
        "description": description,
        "content": {media_type: {"schema": schema}},
        "headers": said,
    }


def install(app: FastAPI) -> None:
    """Have `app` describe itself in full."""

    def describe() -> _Document:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _describe(app: FastAPI) -> _Document:
    keys: Keys = app.state.keys
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schemas["Problem"].pop("$defs", {})
    for operation in _operations(document):
        refused: tuple[int, ...] = _EVERYWHERE
        if not keys.needed:
            operation.pop("security", None)
            operation["responses"].pop("401", None)
        elif "security" in operation:
            refused = (401, *refused)
        more = {str(status): said for status, said in refuses(*refused).items()}
        operation["responses"] = dict(sorted((more | operation["responses"]).items()))
    if not keys.needed:
        document["components"].pop("securitySchemes", None)
    return document


def _operations(document: _Document) -> Iterator[_Document]:
    for methods in document["paths"].values():
        yield from methods.values()
