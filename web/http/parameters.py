"""Parameters of a query that a route does not know, or gets twice: refused, not passed over.

Whoever writes `sinse=60` means a range. Passed over in silence, all of a stream would be summed up, or
forgotten. Routes of other people's clients (OpenAI's, WHIP) are not so strict, nor are pictures: pages
put what they like behind an image's address to have it loaded anew.
"""

from collections import Counter
from typing import get_args, get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

_TICKET = "ticket"
"""Stands in the query where headers cannot be sent; see `web.access.auth`."""
_LONGEST_NAME = 64


async def known_parameters(request: Request) -> None:
    """Let a request through whose query the route understands, all of it.

    Raises:
        RequestValidationError: If it has a parameter that the route does not know, or one of its own
            more often than once.
    """
    if not request.query_params:
        return
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    repeatable = {
        field.alias: list in _origins(field.field_info.annotation)
        for field in route.dependant.query_params
    }
    given = Counter(name for name, _ in request.query_params.multi_items() if name != _TICKET)
    wrong = [
        _error(name, _unknown(request.method, repeatable))
        for name in given
        if name not in repeatable
    ]
    wrong += [
        _error(name, f"given {times} times, and may be given once")
        for name, times in given.items()
        if times > 1 and not repeatable.get(name, True)
    ]
    if wrong:
        raise RequestValidationError(wrong)


def _unknown(method: str, known: dict[str, bool]) -> str:
    names = ", ".join(sorted(known)) if known else "none"
    return f"no parameter of this {method}, which takes {names}"


def _error(name: str, message: str) -> dict[str, object]:
    return {"type": "extra_forbidden", "loc": ("query", name[:_LONGEST_NAME]), "msg": message}


def _origins(annotation: object) -> set[object]:
    """Return what `list[str] | None` and the like are made of, without their own arguments."""
    return {get_origin(one) for one in (annotation, *get_args(annotation))}
