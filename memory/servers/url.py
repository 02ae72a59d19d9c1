"""Where Redis is, as one line: one server, those of a cluster, or the Sentinels that know the master.

    redis://[user:password@]host[:6379][/database]                   rediss:// with TLS
    unix:///path/to/redis.sock
    redis+sentinel://[user:password@]host[:26379],…/name[/database]  rediss+sentinel:// with TLS
    redis+cluster://[user:password@]host[:6379],…                    rediss+cluster:// with TLS

Behind `?` stand options of redis-py's, such as `ssl_ca_certs=/path/to/ca.pem`; and, for Sentinels that
ask for it, `sentinel_username` and `sentinel_password`.
"""

from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

Kind = Literal["one", "sentinel", "cluster"]
LOOKS_LIKE = (
    "the Redis URL cannot be read: it looks like redis://[user:password@]host:port/0, rediss://… with "
    "TLS, unix:///path/to/redis.sock, redis+sentinel://host:port,host:port/name, or "
    "redis+cluster://host:port,host:port; behind a ? stand options of redis-py's"
)
_KINDS: dict[str, tuple[Kind, int]] = {
    "sentinel": ("sentinel", 26379),
    "cluster": ("cluster", 6379),
}
_OF_SENTINELS = ("sentinel_username", "sentinel_password")
Node = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class Server:
    """How servers of one kind are reached, wherever they are.

    Attributes:
        scheme: `redis`, or `rediss` with TLS.
        login: User and password, as a URL has them.
        database: Its number; may be empty.
        query: Options of redis-py's.
    """

    scheme: str
    login: str
    database: str
    query: str

    def at(self, node: Node) -> str:
        """Return the URL of one, as redis-py reads it."""
        host, port = node
        login = f"{self.login}@" if self.login else ""
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{login}{address}/{self.database}{query}"


@dataclass(frozen=True, slots=True)
class SeveralServers:
    """What the URL of more than one server says.

    Attributes:
        kind: How the right one is found.
        nodes: Those that it names: some servers of a cluster, or Sentinels.
        server: How the servers that hold the data are reached.
        sentinel: How Sentinels are.
        name: What Sentinels call the master.
    """

    kind: Kind
    nodes: tuple[Node, ...]
    server: Server
    sentinel: Server
    name: str = ""


def read_url(url: str) -> SeveralServers | None:
    """Return what `url` says of several servers; None if it is that of a single one.

    Raises:
        ValueError: If it cannot be read; the message does not repeat it.
    """
    try:
        return _read(url)
    except (ValueError, KeyError):
        # The URL may hold a password, and so may the parser's message.
        raise ValueError(LOOKS_LIKE) from None


def _read(url: str) -> SeveralServers | None:
    parts = urlsplit(url)
    scheme, _, word = parts.scheme.partition("+")
    if not word:
        return None
    kind, port = _KINDS[word]
    login, _, hosts = parts.netloc.rpartition("@")
    name, _, database = parts.path.strip("/").partition("/")
    # A cluster has neither a name nor databases.
    if scheme not in {"redis", "rediss"} or (kind == "sentinel") != bool(name):
        raise ValueError(LOOKS_LIKE)
    options = dict(parse_qsl(parts.query))
    asked = [quote(options.pop(option, ""), safe="") for option in _OF_SENTINELS]
    server = Server(scheme, login, database, urlencode(options))
    sentinel = replace(server, login=":".join(asked) if any(asked) else "", database="")
    nodes = tuple(_node(host, port) for host in hosts.split(","))
    return SeveralServers(kind, nodes, server, sentinel, name)


def _node(text: str, port: int) -> Node:
    one = urlsplit(f"//{text}")
    if not one.hostname:
        raise ValueError(text)
    return one.hostname, one.port or port
