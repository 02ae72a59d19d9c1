"""★ Tells a broker what watches see, for as long as the service runs, and through its outages.

    alerts --> mailbox, bounded --> events and states     -->  broker
    watches made, changed, removed --> their sensors      -->

What holds (sensors, states) is published anew at every connection; what is told while there is none waits
in the mailbox, and the newest win.
"""

import asyncio
import contextlib
import logging
import secrets
import ssl
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from aiomqtt import Client, MqttError, Will

from memory.errors import StoreUnavailable
from stream.backoff import Backoff
from stream.channels import Subscription
from stream.pull.io.tls import tls_context
from stream.watches.records import Event
from stream.watches.watcher import Watcher
from web.errors import BadValue
from web.mqtt.messages import OFFLINE, ONLINE, MqttMessage, Topics

log = logging.getLogger(__name__)

_WITHIN_SECONDS = 10
_KEEPALIVE_SECONDS = 30
_LAST_WORD_SECONDS = 2
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_MOST_INCOMING = 1024
"""Descriptions of sensors that the broker may still have of watches that are gone."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to publish.

    Attributes:
        host: Its name or address.
        port: Its port.
        tls: Whether the connection is encrypted, and its certificate checked.
        user: Who we are; None is nobody.
        password_file: Holds the password; read at every connection, so that it may be changed.
        certificates: A PEM file of certificates to trust beside the system's, read as often.
    """

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password_file: Path | None = None
    certificates: Path | None = None

    def context(self) -> ssl.SSLContext | None:
        """Return what checks the broker's certificate; None without encryption. Blocks.

        Raises:
            BadValue: If the file of certificates cannot be read.
        """
        if not self.tls:
            return None
        try:
            return tls_context(None if self.certificates is None else str(self.certificates))
        except OSError as error:
            raise BadValue(f"{self.certificates} cannot be read: {error.strerror}") from None

    def password(self) -> str | None:
        """Return the password. Blocks.

        Raises:
            BadValue: If it cannot be read.
        """
        if self.password_file is None:
            return None
        try:
            return self.password_file.expanduser().read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise BadValue(f"{self.password_file} cannot be read: {reason}") from None


class Publisher:
    """Publishes what watches see.

    Args:
        broker: Where to.
        topics: Where there.
        watcher: Whose watches.
        root_path: Path below which the service is.
        waits: Between two tries to connect.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        watcher: Watcher,
        root_path: str = "",
        waits: Backoff | None = None,
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._watcher = watcher
        self._root_path = root_path
        self._waits = waits or Backoff(_FIRST_WAIT, _LONGEST_WAIT)
        self._identifier = f"flashback-{secrets.token_hex(6)}"
        self._version = ""
        self._in_hand: Event | None = None
        self._open: set[tuple[str, str]] = set()
        self._shown: set[str] = set()

    async def run(self) -> None:
        """Publish, until cancelled."""
        with self._watcher.alerts() as alerts, self._watcher.changes() as changes:
            await self._watcher.loaded()
            # In a thread: it is read from the disk.
            self._version = await asyncio.to_thread(version, "flashback")
            while True:
                try:
                    await self._session(alerts, changes)
                except (MqttError, BadValue) as error:
                    log.warning("MQTT: %s:%d: %s", self._broker.host, self._broker.port, error)
                _heed_cancel()
                await asyncio.sleep(self._waits.next())

    async def _session(self, alerts: Subscription[Event], changes: Subscription[None]) -> None:
        """Connect, and publish until the connection breaks."""
        async with await self._client() as client:
            _heed_cancel()
            self._waits.reset()
            try:
                await self._begin(client)
                await _until_one_fails(
                    self._tell(client, alerts),
                    self._follow(client, changes),
                    self._clean_up(client),
                )
            finally:
                # Where that is not possible any more the broker says it, by our last will.
                with contextlib.suppress(MqttError, TimeoutError):
                    async with asyncio.timeout(_LAST_WORD_SECONDS):
                        await _publish(client, MqttMessage(self._topics.availability, OFFLINE))

    async def _client(self) -> Client:
        broker = self._broker
        # In threads: both read files.
        password = await asyncio.to_thread(broker.password)
        context = await asyncio.to_thread(broker.context)
        return Client(
            broker.host,
            broker.port,
            username=broker.user,
            password=password,
            identifier=self._identifier,
            will=Will(self._topics.availability, OFFLINE, qos=1, retain=True),
            tls_context=context,
            timeout=_WITHIN_SECONDS,
            keepalive=_KEEPALIVE_SECONDS,
            max_queued_incoming_messages=_MOST_INCOMING,
        )

    async def _begin(self, client: Client) -> None:
        """Publish what holds now."""
        self._open = {(e.watch, e.id) for e in await self._going_on()}
        self._shown = set()
        await self._show(client)
        await _publish(client, MqttMessage(self._topics.availability, ONLINE))

    async def _going_on(self) -> Sequence[Event]:
        """Return the events that were told and go on."""
        told = []
        with contextlib.suppress(StoreUnavailable):  # then they are told when they are over
            for event in self._watcher.going_on():
                kept = await self._watcher.book.event(event.id)
                if kept is not None and kept.verdict != "rejected":
                    told.append(kept)
        return told

    async def _show(self, client: Client) -> None:
        """Publish the sensors of the watches there are, and take away those of the others."""
        watches = dict(self._watcher.watches)
        for gone in self._shown - watches.keys():
            await self._remove(client, gone)
        for watch in watches.values():
            sensor = self._topics.sensor(watch, self._watcher.engine.name, self._version)
            await _publish(client, sensor)
            if watch.id not in self._shown:
                await self._publish_state(client, watch.id)
                self._shown.add(watch.id)

    async def _tell(self, client: Client, alerts: Subscription[Event]) -> None:
        """Publish what watches tell. What was in hand when the connection broke comes first."""
        while True:
            if self._in_hand is None:
                self._in_hand = await alerts.next()
            event = self._in_hand
            if event.watch in self._watcher.watches:
                mark = (event.watch, event.id)
                (self._open.add if event.open else self._open.discard)(mark)
                for message in self._topics.told(event, self._root_path):
                    await _publish(client, message)
                await self._publish_state(client, event.watch)
            self._in_hand = None

    async def _follow(self, client: Client, changes: Subscription[None]) -> None:
        """Publish what becomes of watches."""
        async for _ in changes:
            await self._show(client)

    async def _clean_up(self, client: Client) -> None:
        """Take away sensors of watches that were removed while nobody could tell."""
        await client.subscribe(self._topics.configs, qos=1)
        _heed_cancel()
        async for message in client.messages:
            watch = self._topics.watch_of(message.topic.value)
            if message.payload and watch not in self._watcher.watches:
                await self._remove(client, watch)

    async def _remove(self, client: Client, watch: str) -> None:
        for message in self._topics.removal(watch):
            await _publish(client, message)
        self._shown.discard(watch)
        self._open = {mark for mark in self._open if mark[0] != watch}

    async def _publish_state(self, client: Client, watch: str) -> None:
        on = any(mark[0] == watch for mark in self._open)
        await _publish(client, MqttMessage(self._topics.state(watch), "ON" if on else "OFF"))


async def _until_one_fails(*works: Coroutine[None, None, None]) -> None:
    """Do all of `works`; the first that ends ends the others, and its failure is raised.

    Not a `TaskGroup`: before Python 3.13 that leaves its own task looking cancelled.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _publish(client: Client, message: MqttMessage) -> None:
    await client.publish(message.topic, message.payload, qos=1, retain=message.retain)
    _heed_cancel()


def _heed_cancel() -> None:
    """End a task that was cancelled in the very moment when the broker answered.

    `asyncio.wait_for`, which the client waits with, loses that before Python 3.12:
    https://github.com/python/cpython/issues/86296

    Raises:
        CancelledError: If it was.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
