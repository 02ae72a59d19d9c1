"""Settings: what is looked at of a stream, and where streams come from."""

from collections.abc import Iterator
from pathlib import Path

from stream.pull.messages import Transport
from web.setting_parts.group import Group, field
from web.setting_parts.values import (
    CertificateFile,
    MqttUrl,
    Networks,
    Patterns,
    Sources,
    Topic,
    Zones,
)


class StreamsSettings(Group):
    """What is looked at of a stream, and where streams come from."""

    sample_rate: float = field(1.0, "frames sampled per second of video", gt=0, le=30)
    frame_side: int | None = field(
        None,
        "shorter side of pictures in pixels, larger ones are scaled down to it; by default what the "
        "model's encoder takes, and not less than 360",
        ge=32,
        le=2160,
    )
    blackout: Zones = field(
        (),
        "zones painted black before a picture is looked at, shown or kept: NAME=X,Y X,Y with the corners of "
        "a box or polygon as fractions of the picture, several with ; between; NAME may be door-*",
    )
    blur_faces: Patterns = field(
        (),
        "streams in whose pictures faces are blurred before a picture is looked at, shown or kept, such as "
        "door-*,yard; * for all: a tenth of a second of a core for each picture",
    )
    event_clip_seconds: float = field(
        20.0,
        "length of the film (MP4) of what a watch told: so many seconds of the newest pictures of streams "
        "that are watched for something are kept in memory, about 1 MB a stream; 0 makes none",
        ge=0,
        le=120,
    )
    event_clips_mb: int = field(
        64, "room in Redis for these films; the oldest make room for new ones", ge=1
    )
    stall_seconds: float = field(5.0, "no frame for this long shows a stream as stalled", gt=0)
    silence_seconds: float = field(
        20.0, "no frame for this long ends a sender's session and frees its place", gt=0
    )
    source: Sources = field(
        (), "streams to pull from the start, NAME=URL, comma-separated", repr=False
    )
    source_transport: Transport = field(
        "tcp", "how these sources send RTSP, tcp or udp; those of callers come over tcp"
    )
    allowed_source_networks: Networks = field(
        (), "private networks that sources may be pulled from, and WebRTC candidates may name"
    )
    allowed_webhook_networks: Networks = field(
        (), "private networks that webhooks of watches may be sent to"
    )
    mqtt_url: MqttUrl = field(
        None,
        "MQTT broker that is told what watches see: mqtt://HOST or mqtts://HOST (TLS), with USER@ before the "
        "host; needs the extra mqtt",
    )
    mqtt_password_file: Path | None = field(None, "file that holds the password for that broker")
    mqtt_certificates: CertificateFile = field(
        None, "PEM file of certificates to trust beside the system's when that broker is mqtts://"
    )
    mqtt_topic: Topic = field("flashback", "topic below which everything is published there")
    mqtt_discovery: Topic = field(
        "homeassistant", "topic below which Home Assistant discovers sensors"
    )
    source_certificates: CertificateFile = field(
        None, "PEM file of certificates to trust beside the system's"
    )

    @property
    def sources(self) -> Iterator[tuple[str, str]]:
        """The name and URL of every stream to pull from the start."""
        for source in self.source:
            name, _, url = source.partition("=")
            yield name, url
