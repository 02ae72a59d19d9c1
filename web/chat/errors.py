"""Whatever goes wrong at these routes, in the shape that OpenAI's clients read."""

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from memory.errors import StoreUnavailable
from web.chat.reply import ErrorBody, OpenAiError
from web.errors import RETRY_SECONDS, Refusal
from web.openapi import Responses
from web.sent_json import field_path

_CODES = {
    401: "invalid_api_key",
    403: "permission_denied",
    404: "model_not_found",
    503: "service_unavailable",
}


def _refused(
    status: int,
    message: str,
    code: str | None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the response that says why not."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    body = OpenAiError(error=ErrorBody(message=message, type=kind, param=param, code=code))
    return JSONResponse(body.model_dump(), status, headers=dict(headers or {}))


def failed(error: Refusal) -> JSONResponse:
    """Return the response for what was not granted, or a question that was not answered."""
    unnamed = error.code == HTTPStatus(error.status).name.lower()
    code = _CODES.get(error.status) if unnamed else error.code
    return _refused(error.status, error.detail, code, error.param, error.headers)


class OpenAiRoute(APIRoute):
    """A route whose refusals are those of OpenAI, whoever makes them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await answer(request)
            except Refusal as error:
                return failed(error)
            except RequestValidationError as error:
                return _misread(error)
            except HTTPException as error:  # the body is not text
                return _refused(error.status_code, str(error.detail), "invalid_value")
            except StoreUnavailable as error:
                return _refused(
                    503, str(error), "memory_unavailable", headers={"Retry-After": RETRY_SECONDS}
                )

        return handle


def _misread(error: RequestValidationError) -> JSONResponse:
    if error.errors()[0]["type"] == "json_invalid":
        return _refused(400, "The body is not JSON.", "invalid_value")
    # Of what may be words or parts both are found wrong: the deepest says most.
    first = max(error.errors(), key=lambda one: len(one["loc"]))
    # The first place is the body.
    param = field_path(error.body, first["loc"][1:], missing=first["type"] == "missing") or None
    if first["type"] == "extra_forbidden":
        return _refused(400, f"Unrecognized request argument: {param}", "unknown_parameter", param)
    message = _sizes(first) or first["msg"].removeprefix("Value error, ")
    return _refused(400, f"{param or 'body'}: {message}", "invalid_value", param)


def _sizes(error: Mapping[str, Any]) -> str:
    """Return what to say of a list that is too short or too long; empty of what else is wrong."""
    limits = error.get("ctx", {})
    match error["type"]:
        case "too_short":
            return f"at least {limits['min_length']} must be given, not {limits['actual_length']}"
        case "too_long":
            return f"at most {limits['max_length']} may be given, not {limits['actual_length']}"
        case _:
            return ""


def refuses(*statuses: int) -> Responses:
    """Return the `responses` of a route that may refuse with these statuses."""
    return {
        status: {"description": HTTPStatus(status).phrase, "model": OpenAiError}
        for status in statuses
    }
