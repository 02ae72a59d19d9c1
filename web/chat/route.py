"""The routes of chat completions and models."""

from contextlib import aclosing

from fastapi import APIRouter, Response

from web.access.auth import MayAsk, require
from web.ask import failing_as_asked
from web.chat.asked import read
from web.chat.errors import OpenAiRoute, refuses
from web.chat.reply import Completion, ModelList, ModelReport
from web.chat.request import ChatRequest
from web.chat.writer import Writer
from web.errors import BadRequest
from web.http.closing_stream import ClosingStream
from web.http.streams import permitted
from web.openapi import Responses
from web.services import Here

_MOST_MODELS = 1000


routes = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenAiRoute)

_PIECES: Responses = {
    200: {
        "description": "The answer, whole or in pieces.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@routes.get("/models", responses=refuses(401, 403, 503))
async def list_models(here: Here, caller: MayAsk) -> ModelList:
    """List what can be given as `model`: the model itself, and the model about each stream."""
    streams = await permitted(here, caller, "ask", "", _MOST_MODELS)
    named = (
        ModelReport(id=f"{here.answerer}@{status.name}", created=int(status.began))
        for status in streams
    )
    return ModelList(data=(ModelReport(id=here.answerer, created=0), *named))


@routes.get("/models/{model}", responses=refuses(400, 401, 403, 404, 503))
async def get_model(model: str, here: Here, caller: MayAsk) -> ModelReport:
    """Say whether something can be given as `model`.

    Raises:
        BadRequest: If it cannot.
    """
    name, _, stream = model.partition("@")
    if name != here.answerer:
        message = f"The model {model} does not exist here; this service has {here.answerer}."
        raise BadRequest("model_not_found", message, "model")
    require(caller, "ask", stream or None)
    with failing_as_asked():
        began = (await here.registry.find(stream)).status().began if stream else 0
    return ModelReport(id=model, created=int(began))


@routes.post(
    "/chat/completions",
    response_model=Completion,
    responses=refuses(400, 401, 403, 404, 500, 503) | _PIECES,
)
async def complete(request: ChatRequest, here: Here, caller: MayAsk) -> Response | Completion:
    """Answer a question about a stream, or about pictures, whole or in pieces."""
    asked = read(request, here.answerer, here.sampling)
    writer = Writer(request, here, caller)
    pieces = writer.pieces(asked)
    if not request.stream:
        async with aclosing(pieces):
            async for _ in pieces:
                pass
        return writer.completion()
    # What goes wrong before the first word still has a status.
    first = await anext(pieces)
    return ClosingStream(writer.events(first, pieces), media_type="text/event-stream")
