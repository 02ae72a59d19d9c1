"""The WebSocket `/v1/realtime?stream=ID`: questions in, words out, and the stream's news.

One `Connection` a client: a reader that takes events, at most one answer being written, and a
watcher that passes the stream's news on. Nothing is queued without a bound: the reader waits for
each reply to be taken, news are newest-wins, and a client that takes nothing for `SEND_SECONDS`
is let go.
"""

import asyncio
import contextlib
from dataclasses import asdict
from typing import assert_never
from zoneinfo import ZoneInfo

from fastapi import WebSocket
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.websockets import WebSocketDisconnect

from memory.errors import EncoderMismatch, StoreUnavailable
from stream.channels import Subscription
from stream.errors import UnknownStream
from stream.live import LiveStream
from stream.status import Changed, StreamStatus
from stream.watches.records import clip_path
from web.access.tokens import Caller
from web.errors import BadRequest, BadValue
from web.identifiers import new_id
from web.realtime.answer import AnswerWriter, ResponseWanted
from web.realtime.client_events import (
    AnyEvent,
    ItemCreate,
    ItemDelete,
    ItemRetrieve,
    ResponseCancel,
    ResponseCreate,
    SessionChange,
    SessionUpdate,
)
from web.realtime.conversation import ROOT, Conversation, changed
from web.realtime.pictures import PictureSource
from web.realtime.server_events import (
    Error,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    ItemRetrieved,
    Session,
    SessionCreated,
    SessionUpdated,
)
from web.realtime.stream_events import MomentRemembered, MomentReport, StreamAbsent, StreamChanged
from web.realtime.watch_events import Alert, alert_report
from web.realtime.wire import Outbox, details, parse
from web.realtime.wire_items import InputImage, Message
from web.reports.stream_report import report
from web.services import Services
from web.time_words.zone import zone_called

SEND_SECONDS = 15.0
STATUS_SECONDS = 2.0
RECEIVE_LIMIT = 16 * 1024 * 1024  # what the socket reads of one message; beyond it is cut off


class Connection:
    """One client's conversation about one stream.

    Args:
        socket: To the client.
        stream: What it asks about.
        caller: Who it is.
        services: What answers.
        send_timeout: Seconds after which a client that takes nothing is let go.
    """

    def __init__(
        self,
        socket: WebSocket,
        stream: str,
        caller: Caller,
        services: Services,
        send_timeout: float = SEND_SECONDS,
    ) -> None:
        self._socket = socket
        self._name = stream
        self._caller = caller
        self._services = services
        self._outbox = Outbox(socket, send_timeout)
        self._session = Session(
            id=new_id("sess"), stream=stream, model=services.answerer, **asdict(services.sampling)
        )
        self._conversation = Conversation()
        self._zone: ZoneInfo | None = None
        self._live: LiveStream | None = None
        self._answer: AnswerWriter | None = None
        self._writing: asyncio.Task[None] | None = None
        self._pictures = PictureSource(stream, caller, services)

    async def run(self) -> None:
        """Talk until the client leaves or takes nothing any more."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self._outbox.send(
                    SessionCreated(event_id=new_id("event"), session=self._session)
                )
                self._tasks.create_task(self._report())
                self._tasks.create_task(self._end_when_revoked())
                self._tasks.create_task(self._tell_alerts())
                await self._read()
        except* WebSocketDisconnect:
            pass
        except* TimeoutError:
            await self._disconnect_slow_client()
        finally:
            self._pictures.close()

    # Events in.

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            event: AnyEvent | None = None
            try:
                event = parse(message.get("text"))
                await self._do(event)
            except BadRequest as refused:
                if event is not None:
                    refused.event_id = event.event_id
                await self._outbox.send(Error(event_id=new_id("event"), error=details(refused)))

    async def _do(self, event: AnyEvent) -> None:
        match event:
            case SessionUpdate():
                await self._change(event.session)
            case ItemCreate():
                await self._add(event.item, event.previous_item_id)
            case ItemRetrieve():
                line = self._conversation.find(event.item_id)
                await self._outbox.send(ItemRetrieved(event_id=new_id("event"), item=line))
            case ItemDelete():
                self._conversation.remove(event.item_id)
                await self._outbox.send(
                    ItemDeleted(event_id=new_id("event"), item_id=event.item_id)
                )
            case ResponseCreate():
                await self._respond(event)
            case ResponseCancel():
                self._cancel(event)
            case _:
                assert_never(event)

    async def _change(self, change: SessionChange) -> None:
        if change.model not in {None, self._session.model}:
            message = f"This service answers with {self._session.model}, not with {change.model}."
            raise BadRequest("model_not_found", message, "session.model")
        if change.timezone is not None:
            try:
                self._zone = await zone_called(change.timezone)
            except BadValue as error:
                raise BadRequest("invalid_value", str(error), "session.timezone") from None
        self._session = changed(self._session, change)
        await self._outbox.send(SessionUpdated(event_id=new_id("event"), session=self._session))

    async def _add(self, item: Message, after: str | None) -> None:
        key = item.id or new_id("item")
        # A picture alone may be one of a hundred of a camera; with words, or others, it is meant.
        for part in item.pictures:
            await self._pictures.give(part.image_url, asked=len(item.content) > 1)
        words = tuple(part for part in item.content if not isinstance(part, InputImage))
        # As it is kept: a client's own words about status are not, and pictures are not sent back.
        line = Message(id=key, role=item.role, content=words)
        if after is None:
            after = self._conversation.last_id
        if words:
            for gone in self._conversation.add(line, after):
                await self._outbox.send(ItemDeleted(event_id=new_id("event"), item_id=gone))
        else:
            self._conversation.add_picture()
        before = None if after == ROOT else after
        for news in (ItemAdded, ItemDone):
            await self._outbox.send(
                news(event_id=new_id("event"), previous_item_id=before, item=line)
            )

    async def _respond(self, event: ResponseCreate) -> None:
        if self._writing is not None and not self._writing.done():
            message = "An answer is being written; cancel it or wait for response.done."
            raise BadRequest("conversation_already_has_active_response", message)
        for line in event.response.input or ():
            for part in line.pictures:
                await self._pictures.give(part.image_url, asked=True)
        question = self._conversation.question(self._session, event.response)
        looking = await self._pictures.look()
        asked = ResponseWanted(self._name, self._caller, event, self._conversation)
        self._answer = AnswerWriter(asked, self._services, self._outbox)
        await self._answer.begin()
        writing = self._answer.write(question, self._zone, looking)
        self._writing = self._tasks.create_task(writing)
        # A task that is cancelled before its first step says nothing: not even that it is over.
        await asyncio.sleep(0)

    def _cancel(self, event: ResponseCancel) -> None:
        writing, answer = self._writing, self._answer
        if writing is None or answer is None or writing.done():
            raise BadRequest("response_cancel_not_active", "No answer is being written.")
        if event.response_id not in {None, answer.id}:
            message = f"The answer being written is {answer.id}."
            raise BadRequest("response_cancel_not_active", message, "response_id")
        if not answer.cancelled:
            answer.cancelled = True
            writing.cancel()

    # The stream's news.

    async def _find(self) -> LiveStream:
        """Return the stream, and watch its news from the first time it is found.

        A stream may begin after the connection, and be forgotten before its end.
        """
        if self._live is None:
            live = await self._services.registry.find(self._name)
            if self._live is None:  # else another task found it while this one waited
                self._live = live
                self._tasks.create_task(self._watch(live))
                self._tasks.create_task(self._prepare(live))
        return self._live

    async def _prepare(self, live: LiveStream) -> None:
        """Have the history read: who opens a stream is about to ask."""
        # What is wrong with memory is said when a question needs it.
        with contextlib.suppress(StoreUnavailable, EncoderMismatch):
            await live.catch_up()

    async def _watch(self, live: LiveStream) -> None:
        with live.subscribe() as news:
            async for event in news:
                if isinstance(event, Changed):
                    await self._send_status(event.status)
                    continue
                moment = MomentReport(start=event.moment.start, end=event.moment.end)
                remembered = MomentRemembered(
                    event_id=new_id("event"), stream=self._name, moment=moment
                )
                await self._outbox.send(remembered)
        self._live = None

    async def _end_when_revoked(self) -> None:
        await self._caller.wait_revoked()
        await self._socket.close(WS_1008_POLICY_VIOLATION, "The token is good no more.")
        raise WebSocketDisconnect(WS_1008_POLICY_VIOLATION)

    async def _report(self) -> None:
        absent = False
        with self._services.registry.beginnings() as begun:
            while True:
                try:
                    live = await self._find()
                except UnknownStream:
                    if not absent:
                        gone = StreamAbsent(event_id=new_id("event"), stream=self._name)
                        await self._outbox.send(gone)
                    absent = True
                except StoreUnavailable:
                    pass  # there is nothing to report; a question is told why
                else:
                    absent = False
                    await self._send_status(live.status())
                await self._pause(begun)

    async def _pause(self, begun: Subscription[str]) -> None:
        """Wait for the next report, or until the stream begins: its first clip is news, too."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STATUS_SECONDS):
                while await begun.next() != self._name or self._live is not None:
                    continue

    async def _tell_alerts(self) -> None:
        """Pass on what watches see, on this stream and on others."""
        with self._services.watcher.alerts() as alerts:
            async for event in alerts:
                if self._caller.allows("watch", event.stream):
                    clip = clip_path(self._services.settings.root_path, event)
                    alert = alert_report(event, clip)
                    await self._outbox.send(Alert(event_id=new_id("event"), alert=alert))

    # Events out.

    async def _send_status(self, found: StreamStatus) -> None:
        status = report(found, self._services.sources.origin(self._name))
        event = StreamChanged(event_id=new_id("event"), stream=status)
        await self._outbox.send(event)

    async def _disconnect_slow_client(self) -> None:
        try:
            async with asyncio.timeout(1):
                await self._socket.close(1008, "too slow")
        except (TimeoutError, RuntimeError):
            return  # it takes not even this; the server cuts the connection when we return
