"""Refusals over HTTP as `application/problem+json`: a status, a title, and what to do about it.

Never a 200 that says "failed", never a stack trace, never what the caller sent in secret.
https://www.rfc-editor.org/rfc/rfc9457
"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from memory.errors import StoreError
from model.errors import ModelError
from stream.errors import StreamError
from web.errors import RETRY_SECONDS, Refusal
from web.operations.request_id import HEADER as REQUEST_ID
from web.operations.request_id import current_request

PROBLEM_TYPE = "application/problem+json"


class WrongPlace(BaseModel):
    """One thing that is wrong with a request.

    Attributes:
        place: Where: `body`, `query` or `path`, then the names on the way to it.
        message: What is wrong there.
    """

    place: list[str | int]
    message: str


class Problem(BaseModel):
    """Why a request is not granted.

    Attributes:
        type: Always `about:blank`: the status says which kind it is.
        title: The status in words.
        detail: What is wrong and what to do.
        errors: All that is wrong with what was sent, where it was read field by field.
    """

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongPlace] = []


# What the packages below may raise at any route, by its code, and how it reads from outside.
_STATUS: Mapping[str, int] = {
    "bad_input": 422,
    "bad_source": 422,
    "unknown_stream": 404,
    "too_many_streams": 503,
    "stream_closed": 503,  # while it was being connected to: the next try begins it anew
    "store_unavailable": 503,
    "store_full": 507,
    "encoder_mismatch": 409,
    "too_many_remembered": 507,
    "too_many_clips": 503,
    "engine_busy": 503,
    "unknown_watch": 404,
    "too_many_watches": 507,
    "no_vocabulary": 409,
}
_NOT_PARSED = "There was an error parsing the body"  # as FastAPI says it
_JSON = re.compile(r"application/([\w.+-]+\+)?json\b", re.IGNORECASE)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object
) -> JSONResponse:
    """Return the response that says `detail` to people and `status` to programs."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return JSONResponse(
        body | {"detail": detail} | more,
        status_code=status,
        media_type=PROBLEM_TYPE,
        headers=dict(headers or {}),
    )


def install(app: FastAPI) -> None:
    """Make every refusal of `app`, also of a WebSocket's handshake, a problem document."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    for kind in (StreamError, StoreError, ModelError):
        app.add_exception_handler(kind, _known)


def _failed(_: HTTPConnection, error: Exception) -> JSONResponse:
    """Answer for a fault of ours; the server writes it to the log."""
    detail = f"The service failed at this ({type(error).__name__}); its log says more."
    request = current_request()
    if request is None:
        return problem(500, detail)
    # Nothing of ours stands around this answer any more: the header is given here.
    return problem(500, f"{detail} The request was {request}.", {REQUEST_ID: request})


def _refusal(_: HTTPConnection, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return problem(error.status, error.detail, error.headers)


def _http(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = connection.scope["path"]
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _nothing_at(path)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allow = ", ".join([*_methods(connection), "OPTIONS"])
        if connection.scope["method"] == "OPTIONS":
            return Response(status_code=204, headers={"Allow": allow})
        return problem(405, f"{path} takes {allow}.", {"Allow": allow})
    detail = str(error.detail)
    if detail == _NOT_PARSED:
        detail = "The body is not JSON in UTF-8."
    return problem(error.status_code, detail, error.headers)


def _nothing_at(path: str) -> JSONResponse:
    said = f"There is nothing at {path[:200]}; /docs lists what there is."
    if not path.startswith("/v1/"):
        return problem(404, said)
    said += (
        " Of OpenAI's interface this service has /v1/chat/completions, /v1/models and the Realtime "
        "API, the WebSocket /v1/realtime?stream=NAME."
    )
    return problem(404, said, error={"message": said})  # where OpenAI's libraries look for it


def _methods(connection: HTTPConnection) -> list[str]:
    """Return the methods that the path of `connection` takes."""
    scope = connection.scope
    if "app_root_path" in scope:  # below a mount: the files of the page
        return ["GET", "HEAD"]
    return [
        method
        for method in _METHODS
        # What is asked for by HEAD is asked for by GET, see `web/http/middleware/guard.py`.
        if any(
            r.matches({**scope, "method": "GET" if method == "HEAD" else method})[0] is Match.FULL
            for r in scope["app"].routes
        )
    ]


def _message(error: Mapping[str, object]) -> str:
    if error["type"] == "model_attributes_type":
        return "Input should be a JSON object"
    return str(error["msg"]).removeprefix("Value error, ")


def _invalid(connection: HTTPConnection, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Not the input: it may hold the password of a camera's URL.
    errors = [{"place": list(e["loc"]), "message": _message(e)} for e in error.errors()]
    first = errors[0]
    kind = connection.headers.get("content-type", "")
    if first["place"] == ["body"] and not _JSON.match(kind):
        said = f"this is {kind[:100]}" if kind else "this says no type"
        detail = f"Send the body as JSON, with the header Content-Type: application/json; {said}."
        return problem(422, detail, errors=errors)
    place = ".".join(str(part) for part in first["place"])
    return problem(422, f"{place}: {first['message']}", errors=errors)


def _known(_: HTTPConnection, error: Exception) -> JSONResponse:
    assert isinstance(error, StreamError | StoreError | ModelError)
    if (status := _STATUS.get(error.code)) is None:
        raise error  # a fault of ours, then
    headers = {"Retry-After": RETRY_SECONDS} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return problem(status, str(error), headers)
