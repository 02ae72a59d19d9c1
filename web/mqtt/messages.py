"""What stands where on the broker: one binary sensor a watch, as Home Assistant discovers them.

    TOPIC/availability               online, or offline (also when the connection breaks)
    TOPIC/watches/WATCH/state        ON while what is watched for is seen, else OFF
    TOPIC/watches/WATCH/event        the newest event of that watch, as JSON
    TOPIC/events                     every event, as JSON; not retained
    DISCOVERY/binary_sensor/TOPIC/WATCH/config   what Home Assistant reads

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from stream.watches.records import Event, Watch, clip_path
from web.realtime.watch_events import alert_report

ONLINE, OFFLINE = "online", "offline"
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """What is published.

    Attributes:
        topic: Where.
        payload: What; empty takes away what was retained.
        retain: Whether who comes later is told, too.
    """

    topic: str
    payload: str
    retain: bool = True


@dataclass(frozen=True, slots=True)
class Topics:
    """Where what is published.

    Attributes:
        base: Of everything that is ours.
        discovery: What Home Assistant looks below.
    """

    base: str
    discovery: str

    @property
    def availability(self) -> str:
        """Says whether the others are up to date."""
        return f"{self.base}/availability"

    @property
    def configs(self) -> str:
        """Matches the topics of all our sensors."""
        return self._config("+")

    def state(self, watch: str) -> str:
        """Says whether what is watched for is seen."""
        return f"{self.base}/watches/{watch}/state"

    def event(self, watch: str) -> str:
        """Has the newest event of a watch."""
        return f"{self.base}/watches/{watch}/event"

    def watch_of(self, config: str) -> str:
        """Return the id of the watch whose sensor is described in the topic `config`."""
        return config.split("/")[-2]

    def sensor(self, watch: Watch, model: str, version: str) -> MqttMessage:
        """Return what describes the sensor of `watch`."""
        node = self._node
        about = {
            "name": watch.question[:_LONGEST_NAME],
            "unique_id": f"{node}_{watch.id}",
            "state_topic": self.state(watch.id),
            "json_attributes_topic": self.event(watch.id),
            "availability_topic": self.availability,
            "payload_on": "ON",
            "payload_off": "OFF",
            "icon": "mdi:eye",
            "device": {
                "identifiers": [node],
                "name": self.base,
                "manufacturer": "Flashback",
                "model": model,
                "sw_version": version,
            },
            "origin": {"name": "Flashback", "sw_version": version},
        }
        return MqttMessage(self._config(watch.id), json.dumps(about))

    def removal(self, watch: str) -> Sequence[MqttMessage]:
        """Return what takes a sensor away."""
        topics = (self._config(watch), self.state(watch), self.event(watch))
        return [MqttMessage(topic, "") for topic in topics]

    def told(self, event: Event, root_path: str) -> Sequence[MqttMessage]:
        """Return what tells of an event."""
        said = alert_report(event, clip_path(root_path, event)).model_dump_json()
        return [
            MqttMessage(self.event(event.watch), said),
            MqttMessage(f"{self.base}/events", said, retain=False),
        ]

    @property
    def _node(self) -> str:
        return self.base.replace("/", "-")

    def _config(self, watch: str) -> str:
        return f"{self.discovery}/binary_sensor/{self._node}/{watch}/config"
