import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import pytest
from huggingface_hub import constants

from model.errors import ModelUnavailable
from model.zoo.hub import locate
from model.zoo.pretrained import open_pretrained
from tests.model.released_layout import TOWERS, write_checkpoint

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Answers on loopback like the model hub, for one repository: `owner/name`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.status = 200
        self.error = ""
        self.fetched: list[str] = []
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        path = urlparse(self.path).path
        self.server.asked.append(path)
        if self.server.status != 200:
            self._send(b"{}", status=self.server.status)
        elif path in {f"/api/models/owner/name/revision/{name}" for name in ("main", COMMIT)}:
            self._send(json.dumps({"id": "owner/name", "sha": COMMIT, "siblings": []}).encode())
        elif path == f"/api/models/owner/name/tree/{COMMIT}":
            files = sorted(self.server.folder.iterdir())
            entries = [
                {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": f.name}
                for f in files
            ]
            self._send(json.dumps(entries).encode())
        elif path.startswith(f"/owner/name/resolve/{COMMIT}/"):
            name = path.rsplit("/", 1)[1]
            if self.command == "GET":
                self.server.fetched.append(name)
            self._send((self.server.folder / name).read_bytes(), etag=f'"{name}"')
        else:
            self._send(b"{}", status=404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, body: bytes, status: int = 200, etag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", COMMIT)
        if etag:
            self.send_header("ETag", etag)
        if self.server.error:
            self.send_header("X-Error-Code", self.server.error)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(tmp_path) -> Iterator[Hub]:
    write_checkpoint(tmp_path / "published")
    for name in ("modeling.py", "pytorch_model.bin"):
        (tmp_path / "published" / name).write_text("never fetched")
    server = Hub(tmp_path / "published")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_folder_is_used_where_it_lies(tmp_path):
    assert locate(str(tmp_path)) == tmp_path


def test_what_is_fetched_is_what_we_read_and_no_code_or_pickle(hub, tmp_path):
    folder = locate("owner/name", endpoint=hub.address, cache=tmp_path / "cache")
    published = {file.name for file in hub.folder.iterdir()}
    expected = published - {"modeling.py", "pytorch_model.bin"}
    assert {file.name for file in folder.iterdir()} == expected == set(hub.fetched)
    for name in expected:
        assert (folder / name).read_bytes() == (hub.folder / name).read_bytes()


def test_what_was_fetched_once_is_there_without_a_network(hub, tmp_path):
    cache = tmp_path / "cache"
    folder = locate("owner/name", endpoint=hub.address, cache=cache)
    hub.fetched.clear()
    assert locate("owner/name", offline=True, endpoint=hub.address, cache=cache) == folder
    assert hub.fetched == []


@pytest.fixture
def public(hub, tmp_path, monkeypatch):
    """Make `hub` the one that is asked when nothing else is said."""
    monkeypatch.setattr(constants, "ENDPOINT", hub.address)
    template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return hub


def rewrite(file, **changes):
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def weights(files):
    return [name for name in files if name.endswith(".safetensors")]


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"mm_vision_tower": "internvideo2"}, "vision tower 'internvideo2'"),
        ({"frame_aspect_ratio": "anyres"}, "frame_aspect_ratio"),
    ],
)
def test_no_weight_is_fetched_of_a_network_that_is_not_built_here(public, changes, refused):
    rewrite(public.folder / "config.json", **changes)
    with pytest.raises(ModelUnavailable, match=refused):
        open_pretrained("owner/name", towers=TOWERS)
    assert "config.json" in public.fetched
    assert weights(public.fetched) == []


@pytest.mark.parametrize("damaged", ["tokenizer.json", "generation_config.json"])
def test_no_weight_is_fetched_of_a_checkpoint_that_cannot_speak(public, damaged):
    (public.folder / damaged).write_text("{")
    with pytest.raises(ModelUnavailable):
        open_pretrained("owner/name", towers=TOWERS)
    assert weights(public.fetched) == []


def test_what_was_judged_is_what_is_loaded_and_nothing_is_fetched_twice(public):
    opened = open_pretrained("owner/name", towers=TOWERS)
    assert opened.network.config.language.hidden == 48
    assert len(public.fetched) == len(set(public.fetched))
    assert len(weights(public.fetched)) == 3
    assert public.asked.count("/api/models/owner/name/revision/main") == 1, "not the newest again"


def test_an_unreachable_hub_is_a_sentence(tmp_path):
    with pytest.raises(ModelUnavailable) as caught:
        locate("owner/name", endpoint="http://127.0.0.1:9", cache=tmp_path)
    assert str(caught.value) == (
        "owner/name is not on this machine and the model hub cannot be reached; fetch it where "
        "there is a network (hf download owner/name --local-dir FOLDER) and give that folder "
        "instead"
    )


def test_offline_mode_says_so(tmp_path):
    with pytest.raises(ModelUnavailable, match=r"VideoChat-Flash-Qwen2_5-2B_res448 .*offline"):
        locate("flash-2b", offline=True, cache=tmp_path)


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (404, "RepoNotFound", "owner/name is not known to the model hub; check its spelling"),
        (403, "GatedRepo", "owner/name needs you to accept its terms"),
    ],
)
def test_a_refusal_of_the_hub_is_a_sentence(hub, tmp_path, status, code, sentence):
    hub.status, hub.error = status, code
    with pytest.raises(ModelUnavailable, match=sentence):
        locate("owner/name", endpoint=hub.address, cache=tmp_path / "cache")


@pytest.mark.parametrize("name", ["owner/na me", "own..er/name"])
def test_a_name_the_hub_could_not_know_is_a_sentence(tmp_path, name):
    with pytest.raises(ModelUnavailable, match="not known to the model hub"):
        locate(name, cache=tmp_path)


@pytest.mark.parametrize("name", ["flash-3b", "./absent", "/absent/folder", "a/b/c"])
def test_a_name_that_is_nothing_lists_what_there_is(name):
    with pytest.raises(ModelUnavailable, match=r"no folder .* one of lite, flash-2b, flash-7b"):
        locate(name)
