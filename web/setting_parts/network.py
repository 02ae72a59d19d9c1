"""Settings: other hosts, and the way of WebRTC's media."""

from typing import Self

from pydantic import SecretStr, model_validator

from web.setting_parts.group import PREFIX, Group, field
from web.setting_parts.values import (
    Address,
    PortRange,
    StunServers,
    TurnServers,
)


class NetworkSettings(Group):
    """Other hosts, and the way of WebRTC's media."""

    cluster: bool = field(
        False,
        "share streams, encoding and answers with other hosts on the same Redis; needs the extra `ray`",
    )
    cluster_url: str | None = field(
        None,
        "URL under which clients reach this host of a cluster, such as https://a.example; by default "
        "of address and port",
        pattern=r"^https?://[^\s/?#]+(/[\w.~-]+)*$",
    )
    cluster_encoders: int = field(
        1, "replicas that encode clips, on this host of a cluster", ge=0, le=64
    )
    cluster_answerers: int = field(
        1, "replicas that answer questions, on this host of a cluster", ge=0, le=64
    )
    ray_address: str | None = field(
        None,
        "the Ray to join, auto for the node that runs on this machine; by default a cluster of one host "
        "starts its own",
        min_length=1,
    )
    stun: StunServers = field((), "STUN servers, as stun:HOST:PORT; we ask the first")
    turn: TurnServers = field(
        (), "TURN servers, as turn:HOST:PORT?transport=tcp; ours is the first"
    )
    turn_secret: SecretStr | None = field(None, "the TURN server's shared REST secret")
    turn_seconds: int = field(3600, "how long a TURN credential lives", ge=60)
    advertised_host: Address = field(None, "public IPv4 address to offer to WebRTC peers")
    udp_ports: PortRange = field(None, "UDP ports for WebRTC media, FIRST-LAST; any by default")

    @model_validator(mode="after")
    def _secured(self) -> Self:
        if self.turn and self.turn_secret is None:
            raise ValueError(
                f"{PREFIX}TURN needs {PREFIX}TURN_SECRET: browsers take no TURN server without "
                "credentials"
            )
        return self
