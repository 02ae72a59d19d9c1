"""One answer on the wire: from `response.created` through the words to `response.done`.

Whatever happens on the way, the client hears `response.done`, and why.
"""

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from model.types import Finish, Question, Usage, Words
from stream.live import LiveStream
from web.access.tokens import Caller
from web.errors import Refusal
from web.identifiers import new_id
from web.inquiry import Inquiry, Put, put_to
from web.operations.request_id import continue_as
from web.realtime.client_events import ResponseCreate
from web.realtime.conversation import Conversation
from web.realtime.server_events import (
    ContentPartAdded,
    ContentPartDone,
    Error,
    ErrorDetails,
    ErrorKind,
    Failure,
    InputDetails,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    OutputItemAdded,
    OutputItemDone,
    Response,
    ResponseCreated,
    ResponseDone,
    ResponseStatus,
    StatusDetails,
    TextDelta,
    TextDone,
    TextPart,
    UsageReport,
)
from web.realtime.wire import Outbox
from web.realtime.wire_items import Message, OutputText
from web.services import Services

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ResponseWanted:
    """What asked for an answer.

    Attributes:
        stream: Asked about.
        caller: Who asks.
        event: That said so.
        conversation: That the answer becomes a line of, if it is kept.
    """

    stream: str
    caller: Caller
    event: ResponseCreate
    conversation: Conversation


class AnswerWriter:
    """Writes one answer to one client.

    Args:
        asked: What asked for it.
        here: What answers.
        outbox: To the client.

    Attributes:
        id: The response's identifier.
        text: The words so far.
        cancelled: Set it, then cancel the task that runs `write`.
    """

    def __init__(self, asked: ResponseWanted, here: Services, outbox: Outbox) -> None:
        self.id = new_id("resp")
        self.item_id = new_id("item")
        self.text = ""
        self.cancelled = False
        self._asked, self._here, self._outbox = asked, here, outbox
        self._event, self._previous = asked.event, asked.conversation.last_id
        self._inquiry = Inquiry(here, asked.caller)
        self._open = False

    @property
    def _kept(self) -> bool:
        """Whether it becomes a line of the conversation."""
        return self._event.response.conversation == "auto"

    @property
    def _message(self) -> Message:
        """The answer as a line of the conversation."""
        return Message(
            id=self.item_id, role="assistant", content=(OutputText(text=self.text[:4000]),)
        )

    async def begin(self) -> None:
        """Say that there will be an answer; the first thing said of it."""
        response = Response(
            id=self.id, status="in_progress", metadata=self._event.response.metadata
        )
        await self._outbox.send(ResponseCreated(event_id=new_id("event"), response=response))

    async def write(
        self, question: Question, zone: ZoneInfo | None, looking: LiveStream | None
    ) -> None:
        """Ask `question`, send the answer as it comes and how it ended, and keep it.

        Args:
            question: In words as they came.
            zone: In which whoever asks reads a clock; None if that is not known.
            looking: A stream that still looks at pictures sent with it; None if there were none.

        Raises:
            CancelledError: If the service stops it; one that the client cancelled ends in order.
            WebSocketDisconnect: If the client has left.
            TimeoutError: If it takes nothing.
        """
        continue_as(self.id)
        try:
            try:
                await self._ask(question, zone, looking)
            except Refusal as failure:
                await self._fail(failure)
        except asyncio.CancelledError:
            if not self.cancelled:
                raise
            await self._end_cancelled()
        if self._kept and self.text:
            for gone in self._asked.conversation.add(self._message):
                await self._outbox.send(ItemDeleted(event_id=new_id("event"), item_id=gone))

    async def _ask(
        self, question: Question, zone: ZoneInfo | None, looking: LiveStream | None
    ) -> None:
        find = partial(self._put, question, zone, looking)
        async with aclosing(self._inquiry.pieces(find)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Finish):
                    await self._done(piece)
                else:
                    await self._say(piece)

    async def _put(
        self, question: Question, zone: ZoneInfo | None, looking: LiveStream | None
    ) -> Put:
        """Note the question, find the stream, and understand words of time."""
        here, stream = self._here, self._asked.stream
        await here.audit.note(self._asked.caller, "ask", stream, question=question.text)
        if looking is not None:
            await looking.looked()
        live = await here.registry.find(stream)
        return await put_to(live, question, here.clocks.wall(), zone)

    async def _fail(self, failure: Refusal) -> None:
        """Say why there is no answer, or no more of it."""
        # Both as an `error`, which every client shows, and in `response.done`, which ends it.
        log.info("no answer: %s", failure.code)
        kind: ErrorKind = "invalid_request_error" if failure.status < 500 else "server_error"
        text = str(failure)
        details = ErrorDetails(
            type=kind, code=failure.code, message=text, event_id=self._event.event_id
        )
        await self._outbox.send(Error(event_id=new_id("event"), error=details))
        error = Failure(type=kind, code=failure.code, message=text)
        await self._end("failed", StatusDetails(type="failed", error=error))

    async def _end_cancelled(self) -> None:
        """Say that the client stopped the answer."""
        details = StatusDetails(type="cancelled", reason="client_cancelled")
        await self._end("cancelled", details)

    async def _say(self, words: Words) -> None:
        await self._begin_item()
        self.text += words.text
        await self._outbox.send(TextDelta(**self._place(), item_id=self.item_id, delta=words.text))

    async def _begin_item(self) -> None:
        if self._open:
            return
        self._open = True
        line = Message(id=self.item_id, status="in_progress", role="assistant", content=())
        await self._outbox.send(OutputItemAdded(**self._place(), item=line))
        if self._kept:
            event = new_id("event")
            await self._outbox.send(
                ItemAdded(event_id=event, previous_item_id=self._previous, item=line)
            )
        await self._outbox.send(
            ContentPartAdded(**self._place(), item_id=self.item_id, part=TextPart(text=""))
        )

    async def _end_item(self, status: ResponseStatus) -> None:
        if not self._open:
            return
        await self._outbox.send(TextDone(**self._place(), item_id=self.item_id, text=self.text))
        part = TextPart(text=self.text)
        await self._outbox.send(ContentPartDone(**self._place(), item_id=self.item_id, part=part))
        state = "completed" if status == "completed" else "incomplete"
        line = self._message.model_copy(update={"status": state})
        await self._outbox.send(OutputItemDone(**self._place(), item=line))
        if self._kept:
            event = new_id("event")
            await self._outbox.send(
                ItemDone(event_id=event, previous_item_id=self._previous, item=line)
            )

    def _place(self) -> dict[str, Any]:
        return {"event_id": new_id("event"), "response_id": self.id}

    async def _done(self, finish: Finish) -> None:
        if finish.reason == "stop":
            await self._end("completed", StatusDetails(type="completed"), finish)
        elif finish.reason == "length":
            details = StatusDetails(type="incomplete", reason="max_output_tokens")
            await self._end("incomplete", details, finish)
        else:
            await self._end("cancelled", StatusDetails(type="cancelled"), finish)

    async def _end(
        self, status: ResponseStatus, details: StatusDetails, finish: Finish | None = None
    ) -> None:
        if status == "completed":
            await self._begin_item()  # also of no words
        await self._end_item(status)
        response = Response(
            id=self.id,
            status=status,
            status_details=details,
            output=(self._message,) if self.text else (),
            usage=_usage(finish.usage) if finish else None,
            metadata=self._event.response.metadata,
            evidence=self._inquiry.evidence if finish else (),
            time=self._inquiry.time,
            timings=self._inquiry.timings,
        )
        await self._outbox.send(ResponseDone(event_id=new_id("event"), response=response))


def _usage(usage: Usage) -> UsageReport:
    input_tokens = usage.prompt_tokens + usage.tokens_kept
    return UsageReport(
        total_tokens=input_tokens + usage.answer_tokens,
        input_tokens=input_tokens,
        output_tokens=usage.answer_tokens,
        input_token_details=InputDetails(
            text_tokens=usage.prompt_tokens, image_tokens=usage.tokens_kept
        ),
        clips=usage.clips,
        frames=usage.frames,
        visual_tokens=usage.visual_tokens,
        tokens_kept=usage.tokens_kept,
        start=usage.start,
        end=usage.end,
        behind=round(usage.behind, 3),
    )
