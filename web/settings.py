"""Everything that can be set from outside, read once, here and nowhere else.

A variable that is misspelt or does not fit stops the start with a sentence: a service that
quietly ignores `FLASHBACK_TOKNE` is an open camera server.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from stream.pull.messages import Transport
from web.errors import BadSetting
from web.setting_values import (
    Address,
    Age,
    Algorithms,
    CertificateFile,
    Issuer,
    KeysUrl,
    MqttUrl,
    Networks,
    Patterns,
    Port,
    PortRange,
    RedisUrl,
    Roles,
    Secrets,
    Sources,
    StunServers,
    Topic,
    TracesUrl,
    TurnServers,
    Words,
    Zones,
)

PREFIX = "FLASHBACK_"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def _field(default: Any, meaning: str, **limits: Any) -> Any:  # noqa: ANN401 - as pydantic's Field
    return Field(default=default, description=meaning, **limits)


class Settings(BaseModel):
    """The service's settings; the variable `FLASHBACK_SAMPLE_RATE` sets `sample_rate`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = _field("127.0.0.1", "address to listen on; any but loopback needs a token")
    port: Port = _field(8700, "TCP port to listen on; 0 takes a free one")
    token: Secrets = _field((), "bearer tokens that let in, comma-separated; one each for limits")
    token_file: Path | None = _field(
        None,
        "file of named tokens, which `flashback token` writes; by default tokens.json in the data folder",
    )
    jwt_issuer: Issuer = _field(
        None,
        "issuer whose JSON Web Tokens let in (their `iss`), such as https://login.example/realms/cams; needs "
        "the extra jwt",
    )
    jwt_audience: str = _field("", "what must stand in the `aud` of such a token")
    jwt_keys: KeysUrl = _field(
        None, "URL of the issuer's public keys; by default ISSUER/.well-known/jwks.json"
    )
    jwt_roles: Roles = _field(
        (),
        "what the issuer's roles may do: ROLE=RIGHT,RIGHT, several with ; between, such as "
        "viewer=watch,ask; operator=admin",
    )
    jwt_roles_claim: str = _field(
        "roles", "claim that holds the roles, or a path such as realm_access.roles", min_length=1
    )
    jwt_streams_claim: str = _field(
        "", "claim that holds the names or patterns of streams that a token is for; without it all"
    )
    jwt_algorithms: Algorithms = _field(
        ("RS256", "ES256"), "algorithms that its tokens may be signed by"
    )
    allowed_jwt_networks: Networks = _field(
        (), "private networks that the issuer's keys may be fetched from; only there without TLS"
    )
    allowed_hosts: Words = _field((), "names under which clients reach the service (Host header)")
    allowed_origins: Words = _field((), "web origins other than our own that may call us")
    root_path: str = _field(
        "", "path below which a proxy serves us, such as /flashback", pattern=r"^(/[\w.~-]+)*$"
    )
    model: str = _field("lite", "model preset, checkpoint folder or hub id", min_length=1)
    data: Path = _field(Path("~/.local/share/flashback"), "where the embedded Redis keeps its data")
    cache: Path = _field(Path("~/.cache/flashback"), "where converted weights are kept")
    redis_url: RedisUrl = _field(
        None,
        "an external Redis; without it one is embedded. redis://, rediss:// (TLS), unix://, "
        "redis+sentinel://host,host/name or redis+cluster://host,host",
    )
    redis_replicas: int = _field(
        0,
        "how many replicas of an external Redis must have a clip before it counts as remembered",
        ge=0,
    )
    redis_memory_mb: int = _field(1024, "ceiling of the embedded Redis", ge=16)
    stored_values: Literal["int8", "float16"] = _field(
        "int8",
        "how the values of what was seen are kept: int8 takes half the room of float16 and moves no "
        "value by more than a 254th of its token's largest",
    )
    stream_quota_mb: int | None = _field(
        None,
        "room for what is seen on one stream; beyond it the older is kept with fewer bits, then several "
        "clips as one, then not at all; by default as much as there is for all",
        ge=1,
    )
    memory_quota_mb: int | None = _field(
        None,
        "room for what is seen on all streams; by default four fifths of the embedded Redis, and no "
        "bound in an external one",
        ge=1,
    )
    keep: Age = _field(
        None,
        "how long what is seen is kept, as 7d, 12h, 30m or 90s; by default while there is room",
    )
    history_mb: int | None = _field(
        None,
        "memory for what streams' histories hold beside Redis; by default 2048, or half of what a "
        "graphics card has left",
        ge=64,
    )
    second_look: bool | None = _field(
        None,
        "answer a question about a long stream, whose old clips are folded, from the originals of the "
        "moments that it is about; it takes longer by reading them; by default where words lead to "
        "them (lite)",
    )
    visual_budget: int = _field(
        1024,
        "visual tokens that a question selects at most; 0 for the share that the checkpoint was "
        "published with: the cost of a question then grows with the stream",
        ge=0,
    )
    as_released: bool = _field(
        False,
        "run a released checkpoint as its own files say: visual tokens dropped (the published ones: "
        "not at all, so no evidence), no budget, its temperature, top_p, top_k and repetition penalty",
    )
    stretch: float = _field(
        1.0,
        "how many times further than it was trained to the language model's positions are made to "
        "reach (YaRN), and with them a history; answers about short ones may get worse",
        ge=1,
        le=64,
    )
    sample_rate: float = _field(1.0, "frames looked at per second of video", gt=0, le=30)
    frame_side: int | None = _field(
        None,
        "shorter side of pictures in pixels, larger ones are scaled down to it; by default what the "
        "model's encoder takes, and not less than 360",
        ge=32,
        le=2160,
    )
    blackout: Zones = _field(
        (),
        "zones painted black before a picture is looked at, shown or kept: NAME=X,Y X,Y with the corners of "
        "a box or polygon as fractions of the picture, several with ; between; NAME may be door-*",
    )
    blur_faces: Patterns = _field(
        (),
        "streams in whose pictures faces are blurred before a picture is looked at, shown or kept, such as "
        "door-*,yard; * for all: a tenth of a second of a core for each picture",
    )
    event_clip_seconds: float = _field(
        20.0,
        "length of the film (MP4) of what a watch told: so many seconds of the newest pictures of streams "
        "that are watched for something are kept in memory, about 1 MB a stream; 0 makes none",
        ge=0,
        le=120,
    )
    event_clips_mb: int = _field(
        64, "room in Redis for these films; the oldest make room for new ones", ge=1
    )
    stall_seconds: float = _field(5.0, "no frame for this long shows a stream as stalled", gt=0)
    silence_seconds: float = _field(
        20.0, "no frame for this long ends a sender's session and frees its place", gt=0
    )
    source: Sources = _field(
        (), "streams to pull from the start, NAME=URL, comma-separated", repr=False
    )
    source_transport: Transport = _field(
        "tcp", "how these sources send RTSP, tcp or udp; those of callers come over tcp"
    )
    allowed_source_networks: Networks = _field(
        (), "private networks that sources may be pulled from, and WebRTC candidates may name"
    )
    allowed_webhook_networks: Networks = _field(
        (), "private networks that webhooks of watches may be sent to"
    )
    mqtt_url: MqttUrl = _field(
        None,
        "MQTT broker that is told what watches see: mqtt://HOST or mqtts://HOST (TLS), with USER@ before the "
        "host; needs the extra mqtt",
    )
    mqtt_password_file: Path | None = _field(None, "file that holds the password for that broker")
    mqtt_certificates: CertificateFile = _field(
        None, "PEM file of certificates to believe beside the system's when that broker is mqtts://"
    )
    mqtt_topic: Topic = _field("flashback", "topic below which everything is published there")
    mqtt_discovery: Topic = _field(
        "homeassistant", "topic below which Home Assistant discovers sensors"
    )
    source_certificates: CertificateFile = _field(
        None, "PEM file of certificates to believe beside the system's"
    )
    log: Literal["text", "json"] = _field(
        "text",
        "how the log is written to standard error: for people, or as JSON, one object a line",
    )
    traces: TracesUrl = _field(
        None,
        "OpenTelemetry collector that is sent traces of questions and clips, by OTLP over HTTP: "
        "http://HOST:4318; needs the extra otel",
    )
    audit_log: Path | None = _field(
        None,
        "file to note in who asked what of which stream and who forgot what, as JSON lines; none by default",
    )
    audit_log_mb: int = _field(
        16, "size at which that file is set aside; four older ones are kept", ge=1
    )
    drain_seconds: float = _field(
        0.0,
        "how long after SIGTERM streams and questions are taken as before while /ready says 503, so that "
        "a load balancer has time to notice",
        ge=0,
        le=3600,
    )
    finish_seconds: float = _field(
        5.0, "how long after that answers that are being written may take to end", ge=0, le=3600
    )
    max_streams: int = _field(32, "live streams in all", ge=1)
    max_streams_per_token: int = _field(16, "live streams of one token", ge=1)
    max_connections: int = _field(64, "open WebSockets in all", ge=1)
    max_connections_per_token: int | None = _field(
        None,
        "open WebSockets of one token; by default half of all where there are several tokens",
        ge=1,
    )
    max_viewers: int = _field(16, "WHEP viewers in all; each costs one video encoder", ge=0)
    max_viewers_per_token: int | None = _field(
        None,
        "WHEP viewers of one token; by default half of all where there are several tokens",
        ge=0,
    )
    cluster: bool = _field(
        False,
        "share streams, encoding and answers with other hosts on the same Redis; needs the extra `ray`",
    )
    cluster_url: str | None = _field(
        None,
        "URL under which clients reach this host of a cluster, such as https://a.example; by default "
        "of address and port",
        pattern=r"^https?://[^\s/?#]+(/[\w.~-]+)*$",
    )
    cluster_encoders: int = _field(
        1, "replicas that encode clips, on this host of a cluster", ge=0, le=64
    )
    cluster_answerers: int = _field(
        1, "replicas that answer questions, on this host of a cluster", ge=0, le=64
    )
    ray_address: str | None = _field(
        None,
        "the Ray to join, auto for the node that runs on this machine; by default a cluster of one host "
        "starts its own",
        min_length=1,
    )
    stun: StunServers = _field((), "STUN servers, as stun:HOST:PORT; we ask the first")
    turn: TurnServers = _field(
        (), "TURN servers, as turn:HOST:PORT?transport=tcp; ours is the first"
    )
    turn_secret: SecretStr | None = _field(None, "the TURN server's shared REST secret")
    turn_seconds: int = _field(3600, "how long a TURN credential lives", ge=60)
    advertised_host: Address = _field(None, "public IPv4 address to offer to WebRTC peers")
    udp_ports: PortRange = _field(None, "UDP ports for WebRTC media, FIRST-LAST; any by default")

    @model_validator(mode="after")
    def _secured(self) -> Self:
        if self.turn and self.turn_secret is None:
            raise ValueError(
                f"{PREFIX}TURN needs {PREFIX}TURN_SECRET: browsers take no TURN server without "
                "credentials"
            )
        return self

    @model_validator(mode="after")
    def _issuer_is_whole(self) -> Self:
        needed = {"AUDIENCE": self.jwt_audience, "ROLES": self.jwt_roles}
        if self.jwt_issuer is not None and not all(needed.values()):
            lacking = " and ".join(
                f"{PREFIX}JWT_{name}" for name, value in needed.items() if not value
            )
            raise ValueError(f"{PREFIX}JWT_ISSUER needs {lacking}")
        given = sorted(name for name in self.model_fields_set if name.startswith("jwt_"))
        if self.jwt_issuer is None and given:
            raise ValueError(f"{PREFIX}{given[0].upper()} needs {PREFIX}JWT_ISSUER")
        return self

    @model_validator(mode="after")
    def _one_dropout(self) -> Self:
        if self.as_released and "visual_budget" in self.model_fields_set:
            raise ValueError(
                f"{PREFIX}VISUAL_BUDGET bounds what {PREFIX}AS_RELEASED leaves as it was released: "
                "set one of them"
            )
        return self

    @model_validator(mode="after")
    def _room_for_sources(self) -> Self:
        if len(self.source) > self.max_streams:
            raise ValueError(
                f"{PREFIX}SOURCE names {len(self.source)} streams; {PREFIX}MAX_STREAMS allows "
                f"{self.max_streams}"
            )
        return self

    @model_validator(mode="after")
    def _known_in_the_cluster(self) -> Self:
        anywhere = self.host in {"0.0.0.0", "::"} and not self.advertised_host  # noqa: S104 - compared
        if self.cluster and self.cluster_url is None and (anywhere or not self.port):
            raise ValueError(
                f"{PREFIX}CLUSTER needs {PREFIX}CLUSTER_URL: other hosts cannot know under which "
                "address this one is reached"
            )
        return self

    @model_validator(mode="after")
    def _shared_memory(self) -> Self:
        if self.ray_address and self.cluster and self.redis_url is None:
            raise ValueError(
                f"{PREFIX}RAY_ADDRESS needs {PREFIX}REDIS_URL: hosts share what was seen, and an "
                "embedded Redis is reached by this machine alone"
            )
        return self

    @property
    def own_url(self) -> str:
        """The URL under which clients reach this host of a cluster."""
        host = self.advertised_host or self.host
        return self.cluster_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def tokens_at(self) -> Path:
        """The file of named tokens."""
        return (self.token_file or self.data / "tokens.json").expanduser()

    @property
    def fixed_callers(self) -> int:
        """How many there are, at least, who share what there is; named tokens are not counted."""
        return len(self.token) + (2 if self.jwt_issuer else 0)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return self.host in _LOOPBACK_NAMES

    @property
    def history_bytes(self) -> int | None:
        """Memory for histories, in bytes; None leaves it to the engine."""
        return None if self.history_mb is None else self.history_mb * 2**20

    @property
    def sources(self) -> Iterator[tuple[str, str]]:
        """The name and URL of every stream to pull from the start."""
        for source in self.source:
            name, _, url = source.partition("=")
            yield name, url

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **overrides: object) -> "Settings":
        """Read settings from `environ`; `overrides` that are not None win over it.

        Raises:
            BadSetting: If a value does not fit, or a `FLASHBACK_` variable is not a setting.
        """
        found: dict[str, object] = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and value  # empty is how compose files say "not set"
        }
        # And scripts: `--host "$HOST"` must not open every address, nor `--data "$DATA"` be here.
        found |= {
            name: value for name, value in overrides.items() if value is not None and value != ""
        }
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            problems = "; ".join(
                _sentence(e["type"], e["msg"], e["loc"]) for e in error.errors(include_input=False)
            )
            raise BadSetting(problems) from None


def read_settings(**overrides: object) -> Settings:
    """Read settings from the environment of this process; see `Settings.from_env`.

    Raises:
        BadSetting: If a value does not fit, or a `FLASHBACK_` variable is not a setting.
    """
    return Settings.from_env(os.environ, **overrides)


def variables() -> Iterator[tuple[str, str, str]]:
    """Yield every variable's name, its default as text, and what it means."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default in {None, ()} else _said(field.default)
        yield PREFIX + name.upper(), default, field.description or ""


def _said(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _sentence(kind: str, message: str, place: tuple[int | str, ...]) -> str:
    if not place:  # about several settings together: the message names them
        return message.removeprefix("Value error, ")
    name = PREFIX + str(place[0]).upper()
    if kind == "extra_forbidden":
        return f"{name} is not a setting; `flashback serve --help` lists them"
    return f"{name}: {message.removeprefix('Value error, ')}"
