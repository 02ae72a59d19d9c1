"""RTSP cameras with habits of their own, in the way of callers and of the operator."""

import socket
import threading
from itertools import islice

import pytest

from stream.pull.decode import Picker
from stream.pull.errors import CannotOpen
from stream.pull.messages import Place
from tests.stream.opening import PlayClock, open_source, order
from tests.stream.rtsp_camera import BACK, METADATA, SOUND, VIDEO, Camera
from tests.stream.videos import write_video

PICTURES = 20


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "cam.h264"
    return write_video(
        path, 2.0, 10, codec="libx264", options={"g": "10", "bf": "0", "slices": "1"}
    )


def watch(camera, trusted=False, user="admin:pa%3Ass@", then=lambda: None, **more):
    """Read the camera's whole film."""
    with camera.serve() as port:
        url = f"rtsp://{user}127.0.0.1:{port}/cam?x=1"
        source = open_source(order(url, trusted=trusted, **more))
        try:
            packets = source.container.demux(source.video)
            assert len(list(islice(packets, PICTURES))) == PICTURES
            then()
        finally:
            source.close()


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("status", [404, 451, 461, 500])
@pytest.mark.parametrize("tracks", [VIDEO + SOUND, SOUND + VIDEO, VIDEO + BACK, METADATA + VIDEO])
def test_only_video_is_asked_for(film, tracks, status, trusted):
    refuse = {f"SETUP track{i}": (status, "No") for i in (1, 2)}
    camera = Camera(film, tracks=tracks, refuse=refuse)
    watch(camera, trusted)
    setups = [line for line, _ in camera.heard if line.startswith("SETUP")]
    assert len(setups) == 1
    assert "track0" in setups[0]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_camera_that_knows_no_options_is_watched(film, status):
    watch(Camera(film, refuse={"OPTIONS": (status, "No")}))


@pytest.mark.parametrize("trusted", [True, False])
def test_a_name_in_an_encoding_of_the_cameras_own_is_no_obstacle(film, trusted):
    watch(Camera(film, name=b"K\xfcche \xb3\xf8\xb7\xbf"), trusted)


@pytest.mark.parametrize("trusted", [True, False])
def test_a_camera_that_asks_is_answered(film, trusted):
    camera = Camera(film, asks=True)
    watch(camera, trusted, then=lambda: camera.answered.wait(60))
    assert set(camera.answers) == {"RTSP/1.0 200 OK"}


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(
    "digest", ["SHA-256", "SHA256", "sha-256", "SHA-256-sess", "MD5", "MD5-sess", "Basic"]
)
def test_the_password_is_given_as_the_camera_wants_it(film, digest, trusted):
    camera = Camera(film, digest=digest)
    watch(camera, trusted)
    with pytest.raises(CannotOpen, match="refuses the user name or password"):
        watch(Camera(film, digest=digest), trusted, user="admin:wrong@")
    with pytest.raises(CannotOpen, match="wants a user name and password"):
        watch(Camera(film, digest=digest), trusted, user="")


def test_a_nonce_that_is_used_up_is_replaced(film):
    camera = Camera(film, digest="SHA-256", nonce_good_for=1)
    watch(camera)


def test_a_wrong_password_is_tried_once(film):
    camera = Camera(film, digest="SHA-256")
    with pytest.raises(CannotOpen):
        watch(camera, user="admin:wrong@")
    assert sum(line.startswith("DESCRIBE") for line, _ in camera.heard) == 2


@pytest.mark.parametrize("trusted", [True, False])
def test_a_camera_reads_its_own_name_and_no_password(film, trusted):
    camera = Camera(film, digest="SHA-256")
    watch(camera, trusted)
    for line, headers in camera.heard:
        assert "rtsp://127.0.0.1:" in line
        assert "ss" not in line.split(" ")[1]
        assert "pa:ss" not in str(headers)


@pytest.mark.parametrize(
    ("what", "status", "phrase", "reason"),
    [
        (
            "SETUP track0",
            461,
            "Unsupported Transport",
            r"SETUP with 461 Unsupported Transport: .*UDP",
        ),
        (
            "PLAY",
            453,
            "Not Enough Bandwidth",
            "PLAY with 453 Not Enough Bandwidth: as many viewers",
        ),
        (
            "PLAY",
            454,
            "Session Not Found",
            "PLAY with 454 Session Not Found: it has lost the session",
        ),
        ("DESCRIBE", 404, "Not Found", "nothing at this path"),
        ("DESCRIBE", 503, "Busy", "DESCRIBE with 503 Busy: it is busy"),
        ("OPTIONS", 500, "", r"OPTIONS with 500\."),
        ("PLAY", 551, "Go to \x1b[2Jpa:ss", r"PLAY with 551\."),
    ],
)
def test_a_refusal_is_told_with_the_cameras_code_and_words(film, what, status, phrase, reason):
    with pytest.raises(CannotOpen, match=reason) as refusal:
        watch(Camera(film, refuse={what: (status, phrase)}))
    assert not refusal.value.over.final


def test_a_camera_that_sends_over_tcp_alone_is_read_where_the_others_send_over_udp(film):
    camera = Camera(film)
    watch(camera, trusted=True, transport="udp")
    transports = [headers["transport"] for line, headers in camera.heard if "SETUP" in line]
    assert ["UDP" in each or "client_port" in each for each in transports] == [True, False]


def redirect_to(port):
    """Serve one RTSP redirect to another port; return the port to ask."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        with listener:
            peer, _ = listener.accept()
        with peer:
            peer.recv(4096)
            location = f"Location: rtsp://127.0.0.1:{port}/moved\r\n"
            peer.sendall(f"RTSP/1.0 302 Moved\r\nCSeq: 1\r\n{location}\r\n".encode())
            peer.recv(4096)

    threading.Thread(target=answer, daemon=True).start()
    return listener.getsockname()[1]


def test_a_redirect_of_the_operators_camera_is_followed_with_the_password_to_the_same_host(film):
    with Camera(film, digest="SHA-256").serve() as port:
        url = f"rtsp://admin:pa%3Ass@127.0.0.1:{redirect_to(port)}/cam"
        source = open_source(order(url, trusted=True))
        assert source.video.width == 96
        source.close()
        other = f"rtsp://admin:pa%3Ass@localhost:{redirect_to(port)}/cam"
        with pytest.raises(CannotOpen, match="wants a user name and password"):
            open_source(order(other, address="127.0.0.1", trusted=True))


RECORDED = ("20261128T101500Z", "20261128T101506Z")


def test_a_recording_by_the_clock_on_the_wall_has_a_length(film):
    camera = Camera(film, recorded=RECORDED)
    with camera.serve() as port:
        source = open_source(order(f"rtsp://127.0.0.1:{port}/cam"))
        source.close()
    assert (source.finite, source.lasts) == (True, 6.0)
    assert camera.asked("PLAY") == ["clock=20261128T101500Z-"]


def test_a_recording_by_the_clock_on_the_wall_goes_on_where_it_was(film):
    camera = Camera(film, recorded=RECORDED)
    with camera.serve() as port:
        source = open_source(order(f"rtsp://127.0.0.1:{port}/cam", after=Place(position=2.5)))
        try:
            clock = PlayClock()
            picker = Picker(source, 10.0, clock, clock.sleep, after=2.5)
            next(picker.pictures())
        finally:
            source.close()
    assert camera.asked("PLAY")[-1] == "clock=20261128T101502.500Z-"
    assert picker.position == pytest.approx(2.5, abs=0.3)


@pytest.mark.parametrize(
    "recorded",
    [
        ("20261128T101500Z", ""),
        ("20261128T101506Z", "20261128T101500Z"),
        ("20269928T101500Z", "20261128T101500Z"),
        ("00011128T101500Z", "99991128T101500Z"),
    ],
)
def test_what_is_no_recording_by_the_clock_on_the_wall_is_live(film, recorded):
    tracks = "a=range:clock={}-{}\r\n".format(*recorded) + VIDEO
    camera = Camera(film, tracks=tracks)
    with camera.serve() as port:
        source = open_source(order(f"rtsp://127.0.0.1:{port}/cam"))
        source.close()
    assert (source.finite, source.lasts) == (False, None)
    assert camera.asked("PLAY") == ["npt=0.000-"]
