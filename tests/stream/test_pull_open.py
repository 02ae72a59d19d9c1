import io
import socket
import ssl
import threading
import time
import wave
from contextlib import suppress
from itertools import count, pairwise

import av
import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from PIL import Image

from stream.picking import Picked, Picker
from stream.pull_open import CannotOpen
from stream.pull_open import open_source as open_by_clock
from stream.pull_order import PullOrder
from stream.sampler import FrameSampler
from stream.source_url import BadSource, read_source
from tests.stream.certificates import Certified
from tests.stream.http_server import Site, send_file, send_nothing, send_pictures, serve, serve_also
from tests.stream.videos import write_video

LOOPBACK = ("127.0.0.0/8",)


class PlayClock:
    """A clock that only sleeping moves: a source plays in no time, at its own pace."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def open_source(wanted):
    return open_by_clock(wanted, time.monotonic)


def order(url, **settings):
    source = read_source(url, local=True)
    return PullOrder(
        scheme=source.scheme,
        host=source.host,
        port=source.port,
        path=source.path,
        username=source.username,
        password=source.password,
        memory=-1,
        **{
            "address": source.host,
            "allowed": LOOPBACK,
            "open_within": 2.0,
            "silence": 2.0,
            **settings,
        },
    )


def look(wanted, rate=2.0):
    """Read a source to its end; return the picker and what was picked."""
    clock = PlayClock()
    source = open_source(wanted)
    try:
        picker = Picker(source, rate, clock, clock.sleep)
        return picker, list(picker.pictures())
    finally:
        source.close()


def jpeg(colour):
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def address(site):
    with serve(site) as address:
        yield address


@pytest.fixture(scope="session")
def films(tmp_path_factory):
    """Eight seconds, 20 pictures a second, in the shapes cameras send."""
    folder = tmp_path_factory.mktemp("films")

    def film(name, codec="libx264", **options):
        return write_video(folder / name, seconds=8.0, rate=20, codec=codec, options=options)

    return {
        "long": film("long.mp4", g="400", bf="0"),
        "short": film("short.mp4", g="10", bf="0", keyint_min="10"),
        "reordered": film("reordered.mp4", g="400", bf="3"),
        "jpeg": film("jpeg.avi", codec="mjpeg"),
        "ts": film("film.ts", g="20", bf="0"),
    }


def steps(picked):
    return [b.time - a.time for a, b in pairwise(picked)]


@pytest.mark.parametrize("name", ["long", "short", "reordered", "jpeg", "ts"])
def test_every_kind_of_film_is_picked_evenly(films, name):
    picker, picked = look(order(str(films[name])))
    assert picker.seen == 160
    assert 15 <= len(picked) <= 17
    assert all(0.3 <= step <= 0.75 for step in steps(picked))


def test_where_keyframes_suffice_nothing_else_is_decoded(films):
    picker, _ = look(order(str(films["short"])))
    assert picker.decoded < picker.seen / 2


def test_keyframes_that_come_in_pairs_do_not_pass_for_frequent_ones(tmp_path):
    pairs = {n + i for n in range(0, 320, 40) for i in (0, 1)}
    film = write_video(
        tmp_path / "cuts.mp4", 16.0, 20, codec="libx264", options={"bf": "0"}, keyframes=pairs
    )
    _, picked = look(order(str(film)), rate=1.0)
    assert len(picked) >= 15
    assert max(steps(picked)) < 1.2


def test_pictures_no_other_is_built_on_are_left_out(films):
    picker, _ = look(order(str(films["reordered"])))
    assert picker.decoded < picker.seen * 0.75


def test_of_motion_jpeg_only_what_is_wanted_is_decoded(films):
    picker, picked = look(order(str(films["jpeg"])))
    assert picker.decoded == len(picked)


def test_a_film_over_http_is_read_and_has_an_end(site, address, films):
    site.file("/film.mp4", films["long"].read_bytes(), "video/mp4")
    source = open_source(order(f"{address}/film.mp4"))
    assert (source.finite, source.paced, source.video.width) == (True, True, 96)
    source.close()
    _, picked = look(order(f"{address}/film.mp4"))
    assert len(picked) >= 15


def test_a_stream_over_http_goes_on_for_ever(site, address, films):
    data = films["ts"].read_bytes()

    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "video/mp2t")
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = True

    site.answers["/live.ts"] = endless
    source = open_source(order(f"{address}/live.ts"))
    assert not source.finite
    source.close()


def test_times_that_jump_back_go_on(site, address, films):
    data = films["ts"].read_bytes()
    site.answers["/live.ts"] = lambda handler: send_file(handler, data + data, "video/mp2t")
    picker, picked = look(order(f"{address}/live.ts"))
    assert picker.seen == 320
    assert all(0 < step <= 1.0 for step in steps(picked))
    assert picked[-1].time - picked[0].time == pytest.approx(16, abs=1.5)


def test_times_that_wrap_go_on(tmp_path):
    wrap = 2**33 / 90_000
    film = write_video(
        tmp_path / "wrap.ts",
        seconds=8.0,
        rate=20,
        codec="libx264",
        options={"g": "20", "bf": "0"},
        container={"output_ts_offset": f"{wrap - 4}"},
    )
    _, picked = look(order(str(film)))
    assert all(0.3 <= step <= 0.75 for step in steps(picked))
    assert len(picked) >= 15


def test_motion_jpeg_over_http_goes_by_arrival(site, address):
    pictures = [jpeg((200, 10, 10))] * 20 + [jpeg((10, 10, 200))] * 20
    site.answers["/cam"] = lambda handler: send_pictures(handler, pictures, lambda: False)
    clock = PlayClock()
    source = open_source(order(f"{address}/cam"))
    assert (source.finite, source.paced, source.timed) == (False, False, False)
    picker = Picker(source, 2.0, clock, clock.sleep)
    picked = []
    for one in picker.pictures():
        picked.append(one)
        clock.sleep(0.5)
    source.close()
    assert len(picked) > 30
    assert picked[-1].time > picked[0].time


def test_a_playlist_is_played_through_the_guard(site, address, films):
    site.file("/seg0.ts", films["ts"].read_bytes(), "video/mp2t")
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nseg0.ts\n#EXT-X-ENDLIST\n"
    site.file("/live.m3u8", playlist.encode(), "application/vnd.apple.mpegurl")
    _, picked = look(order(f"{address}/live.m3u8"))
    assert len(picked) >= 15
    assert {path for path, _ in site.asked} == {"/live.m3u8", "/seg0.ts"}


def playlist_of(target):
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\n{target}\n#EXT-X-ENDLIST\n".encode()


@pytest.mark.parametrize(("allowed", "reached"), [("127.0.0.1/32", False), ("127.0.0.0/8", True)])
def test_a_playlist_leads_only_where_it_may(site, address, films, allowed, reached):
    inside = f"http://127.0.0.2:{address.rpartition(':')[2]}/secret.ts"
    with serve_also(site, "127.0.0.2", address):
        site.file("/secret.ts", films["ts"].read_bytes(), "video/mp2t")
        site.file("/live.m3u8", playlist_of(inside), "application/vnd.apple.mpegurl")
        try:
            _, picked = look(order(f"{address}/live.m3u8", allowed=(allowed,)))
        except CannotOpen:
            picked = []
    assert bool(picked) is reached
    assert ("/secret.ts" in {path for path, _ in site.asked}) is reached


def test_a_playlist_opens_no_file(site, address, films):
    site.file("/live.m3u8", playlist_of(films["ts"].as_uri()), "application/vnd.apple.mpegurl")
    with pytest.raises(CannotOpen):
        look(order(f"{address}/live.m3u8"))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nothing", "nothing at this path"),
        ("/silent", "did not answer within 0.3 seconds"),
        ("/text", "no video that can be read"),
        ("/private", "refuses the user name or password"),
    ],
)
def test_what_is_wrong_is_said_in_words(site, address, path, reason):
    site.answers["/silent"] = send_nothing(site)
    site.file("/text", b"hello " * 1000, "text/plain")
    site.file("/private", b"x")
    site.guarded_by_basic("/private", "admin", "pass")
    with pytest.raises(CannotOpen, match=reason) as failure:
        open_source(order(f"{address}{path}", open_within=0.3))
    assert not failure.value.over.final


def test_a_file_that_is_missing_or_no_video_is_not_tried_again(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    for path, reason in ((tmp_path / "no.mp4", "no such file"), (text, "no video")):
        with pytest.raises(CannotOpen, match=reason) as failure:
            open_source(order(str(path)))
        assert failure.value.over.final


def test_a_source_of_the_network_is_never_given_up(site, address):
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    site.file("/booting", sound.getvalue(), "audio/wav")
    site.redirect("/moved", "http://nowhere.invalid/a")
    for url, allowed, reason in (
        (f"{address}/booting", LOOPBACK, "The source holds no video."),
        (f"{address}/moved", LOOPBACK, "The name nowhere.invalid is not known."),
        (f"{address}/booting", (), "private network"),
    ):
        with pytest.raises(CannotOpen, match=reason) as failure:
            open_source(order(url, allowed=allowed))
        assert not failure.value.over.final


def test_a_file_without_pictures_is(tmp_path):
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    with pytest.raises(CannotOpen, match="holds no video") as failure:
        open_source(order(str(tmp_path / "sound.wav")))
    assert failure.value.over.final


def test_a_picture_too_large_to_be_honest_is_refused(films, monkeypatch):
    monkeypatch.setattr("stream.pull_open.LARGEST_PICTURE", 96 * 64 - 1)
    with pytest.raises(CannotOpen, match="96 by 64 pixels are too large"):
        open_source(order(str(films["long"])))


def test_a_source_that_changes_its_picture_size_goes_on(site, address, films, tmp_path):
    other = write_video(
        tmp_path / "other.ts", 8.0, 20, (64, 96), "libx264", options={"g": "20", "bf": "0"}
    )
    data = films["ts"].read_bytes() + other.read_bytes()
    site.answers["/live.ts"] = lambda handler: send_file(handler, data, "video/mp2t")
    _, picked = look(order(f"{address}/live.ts"))
    sizes = [(one.picture.width, one.picture.height) for one in picked]
    assert sizes.count((96, 64)) >= 14
    assert sizes.count((64, 96)) >= 12


def test_a_source_that_changes_to_a_picture_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("stream.pull_open.LARGEST_PICTURE", 96 * 64)
    film = {"rate": 20, "codec": "libx264", "options": {"g": "10", "bf": "0"}}
    later = {"output_ts_offset": "5"}
    small = write_video(tmp_path / "a.ts", 5.0, size=(96, 64), **film)
    large = write_video(tmp_path / "b.ts", 2.0, size=(98, 64), container=later, **film)
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    for rate in (2.0, 10.0):  # by its keyframes alone, and by all of its pictures
        clock = PlayClock()
        source = open_source(order(str(both)))
        picked = []
        with pytest.raises(BadSource, match="98 by 64 pixels are too large"):
            picked.extend(Picker(source, rate, clock, clock.sleep).pictures())
        source.close()


def test_what_is_seen_and_not_wanted_is_told_once_a_second(films):
    clock = PlayClock()
    source = open_source(order(str(films["ts"])))
    events = list(Picker(source, 0.25, clock, clock.sleep).events())
    source.close()
    beats = [event for event in events if isinstance(event, float)]
    assert len(events) - len(beats) == 2
    assert len(beats) == 6
    assert all(b - a >= 1 for a, b in pairwise(beats))


class Refusing(FrameSampler):
    """Wants nothing: to its picker it looks as if nothing could be decoded."""

    def accepts(self, time):
        return False


def test_packets_that_no_picture_comes_of_are_no_sign_of_life(films):
    clock = PlayClock()
    source = open_source(order(str(films["ts"])))
    picker = Picker(source, 2.0, clock, clock.sleep)
    events = picker.events()
    assert isinstance(next(events), Picked)
    picker._sampler = Refusing(2.0)
    assert len(list(events)) == 1
    assert picker.seen == 160
    source.close()


def test_a_kind_of_url_this_ffmpeg_cannot_read_says_so():
    # Where it can, nobody answers at that port.
    with pytest.raises(CannotOpen, match=r"cannot read srt|failed|did not answer"):
        open_source(order("srt://127.0.0.1:9/"))


@pytest.fixture
def rtsp_stranger():
    """A server that answers the first RTSP request with what the test says, then nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    answers = []
    asked = []

    def run():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                asked.append(peer.recv(4096))
                if answers:
                    peer.sendall(answers[0])
                peer.settimeout(5)
                try:
                    while peer.recv(4096):
                        pass
                except OSError:
                    pass

    threading.Thread(target=run, daemon=True).start()
    yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/cam", answers, asked
    listener.close()


def test_an_rtsp_server_that_accepts_and_stays_silent_is_given_up(rtsp_stranger):
    url, _, _ = rtsp_stranger
    for trusted in (False, True):
        with pytest.raises(CannotOpen, match=r"did not answer within 0\.3 seconds"):
            open_source(order(url, open_within=0.3, trusted=trusted))


def test_an_rtsp_redirect_is_not_followed(rtsp_stranger):
    url, answers, _ = rtsp_stranger
    inside = socket.create_server(("127.0.0.1", 0))
    inside.settimeout(0.2)
    target = f"rtsp://127.0.0.1:{inside.getsockname()[1]}/secret"
    answers.append(f"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: {target}\r\n\r\n".encode())
    with pytest.raises(CannotOpen, match="redirects elsewhere"):
        open_source(order(url))
    with pytest.raises(TimeoutError):
        inside.accept()
    inside.close()


def test_without_the_relay_the_redirect_would_be_followed(rtsp_stranger):
    url, answers, _ = rtsp_stranger
    inside = socket.create_server(("127.0.0.1", 0))
    inside.settimeout(2)
    target = f"rtsp://127.0.0.1:{inside.getsockname()[1]}/secret"
    answers.append(f"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: {target}\r\n\r\n".encode())
    with pytest.raises(CannotOpen):
        open_source(order(url, open_within=0.5, trusted=True))
    inside.accept()[0].close()
    inside.close()


@pytest.mark.parametrize("scheme", ["rtsps", "http"])
def test_an_rtsp_redirect_to_another_protocol_is_never_followed(rtsp_stranger, scheme):
    url, answers, _ = rtsp_stranger
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.2)
        target = f"{scheme}://127.0.0.1:{inside.getsockname()[1]}/secret"
        answers.append(f"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: {target}\r\n\r\n".encode())
        with pytest.raises(CannotOpen):
            open_source(order(url, open_within=1.0, trusted=True))
        with pytest.raises(TimeoutError):
            inside.accept()


def test_a_playlist_on_this_machine_leads_to_nothing_but_files(site, address, films, tmp_path):
    key = bytes(range(16))
    film = films["ts"].read_bytes()
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    hidden = encryptor.update(padder.update(film) + padder.finalize()) + encryptor.finalize()
    for name, data in (("key.ts", key), ("hidden.ts", hidden), ("film.ts", film)):
        (tmp_path / name).write_bytes(data)
    site.file("/film.ts", film, "video/mp2t")
    sealed = f'#EXT-X-KEY:METHOD=AES-128,URI="key.ts",IV=0x{"0" * 32}\n#EXTINF'
    playlists = {
        "plain": playlist_of("film.ts"),
        "nested": playlist_of("hidden.ts").replace(b"#EXTINF", sealed.encode()),
        "away": playlist_of(f"{address}/film.ts"),
    }
    for name, text in playlists.items():
        (tmp_path / f"{name}.m3u8").write_bytes(text)
    with av.open(str(tmp_path / "nested.m3u8")) as readable:  # FFmpeg alone goes through `crypto:`
        assert next(readable.decode(video=0)).width == 96
    assert len(look(order(str(tmp_path / "plain.m3u8")))[1]) >= 15
    for name in ("nested", "away"):
        with pytest.raises(CannotOpen):
            open_source(order(str(tmp_path / f"{name}.m3u8"), trusted=True))
    assert site.asked == []


@pytest.mark.parametrize("trusted", [True, False])
def test_rtsp_is_spoken_to_the_address_that_was_checked(rtsp_stranger, trusted):
    url, _, asked = rtsp_stranger
    named = url.replace("127.0.0.1", "camera.invalid")
    with pytest.raises(CannotOpen, match="did not answer"):
        open_source(order(named, address="127.0.0.1", open_within=0.5, trusted=trusted))
    assert len(asked) == 1
    assert asked[0].startswith(b"OPTIONS rtsp://")


@pytest.mark.parametrize("encrypted", [False, True])
def test_rtmp_and_tls_are_spoken_to_the_address_that_was_checked(encrypted):
    first = []

    def listen():
        peer, _ = listener.accept()
        with peer:
            first.append(peer.recv(1))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listening = threading.Thread(target=listen)
        listening.start()
        scheme = "rtmps" if encrypted else "rtmp"
        url = f"{scheme}://camera.invalid:{listener.getsockname()[1]}/live/cam"
        with pytest.raises(CannotOpen):
            open_source(order(url, address="127.0.0.1", open_within=5.0))
        listening.join()
    # RTMP 1.0, section 5.2: the version; RFC 8446, section 5.1: a handshake.
    assert first == [b"\x16" if encrypted else b"\x03"]


def test_a_playlist_whose_window_slides_is_followed(site, address, tmp_path):
    for i in range(7):
        film = write_video(
            tmp_path / f"{i}.ts",
            seconds=1.0,
            rate=10,
            codec="libx264",
            options={"g": "10", "bf": "0"},
            container={"output_ts_offset": str(i)},
        )
        site.file(f"/{i}.ts", film.read_bytes(), "video/mp2t")
    first = count()

    def window(handler):
        start = min(next(first), 4)
        segments = "".join(f"#EXTINF:1,\n{i}.ts\n" for i in range(start, start + 3))
        head = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{start}\n"
        end = "#EXT-X-ENDLIST\n" if start == 4 else ""
        text = (head + segments + end).encode()
        send_file(handler, text, "application/vnd.apple.mpegurl")

    site.answers["/live.m3u8"] = window
    picker, picked = look(order(f"{address}/live.m3u8"))
    asked = [path for path, _ in site.asked if path != "/live.m3u8"]
    assert list(dict.fromkeys(asked)) == [f"/{i}.ts" for i in range(7)]
    assert picker.seen == 70
    assert len(picked) in {13, 14, 15}
    assert max(steps(picked)) < 1.0


def test_rtsp_nonsense_is_refused_in_words(rtsp_stranger):
    url, answers, _ = rtsp_stranger
    answers.append(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(CannotOpen, match=r"failed|no video|did not answer"):
        open_source(order(url, open_within=0.5))


def test_an_encrypted_web_server_is_read_once_its_certificate_is_believed(site, films, tmp_path):
    certified = Certified(tmp_path, "web")
    site.file("/film.mp4", films["long"].read_bytes(), "video/mp4")
    with serve(site, certificate=certified.both) as address:
        with pytest.raises(CannotOpen, match="signed by nobody this machine trusts"):
            open_source(order(f"{address}/film.mp4", trusted=True))
        certificates = str(certified.certificate)
        _, picked = look(order(f"{address}/film.mp4", certificates=certificates))
    assert len(picked) >= 15


def test_an_encrypted_rtmp_server_is_spoken_to_once_its_certificate_is_believed(tmp_path):
    certified = Certified(tmp_path, "rtmp")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified.both)
    greeting = 1 + 1536  # version and random bytes: RTMP 1.0, section 5.2
    said = []

    def listen():
        for _ in range(2):
            plain, _ = listener.accept()
            with (
                plain,
                suppress(ssl.SSLError),
                context.wrap_socket(plain, server_side=True) as peer,
                peer.makefile("rb") as words,
            ):
                said.append(words.read(greeting))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listening = threading.Thread(target=listen)
        listening.start()
        url = f"rtmps://127.0.0.1:{listener.getsockname()[1]}/live/cam"
        with pytest.raises(CannotOpen, match="signed by nobody this machine trusts"):
            open_source(order(url, trusted=True))
        with pytest.raises(CannotOpen, match="failed"):
            open_source(order(url, certificates=str(certified.certificate)))
        listening.join()
    assert [(words[0], len(words)) for words in said] == [(3, greeting)]


def test_a_device_is_read_with_its_options_at_its_own_pace():
    picker, picked = look(order("lavfi:testsrc=duration=3:rate=10:size=64x48"), rate=2.0)
    assert picker.seen == 30
    assert [round(b.time - a.time, 1) for a, b in pairwise(picked)] == [0.5] * 5
    assert {(each.picture.width, each.picture.height) for each in picked} == {(64, 48)}
    with pytest.raises(CannotOpen) as failure:
        open_source(order("lavfi:testsrc?no_such_option_of=lavfi&graph=nosuchfilter"))
    assert not failure.value.over.final


@pytest.mark.parametrize(
    ("device", "reason", "final"),
    [
        ("/dev/video99", "There is no such device.", False),
        ("v4l2:/dev/null", "The device cannot be read (ENOTTY).", False),
        ("nosuchkind", "There is no such file.", True),
    ],
)
def test_what_is_wrong_with_something_local_is_said(device, reason, final):
    with pytest.raises(CannotOpen) as failure:
        open_source(order(device))
    assert (failure.value.over.reason, failure.value.over.final) == (reason, final)


def test_a_kind_of_device_that_this_machine_does_not_have_is_named():
    missing = {"avfoundation", "dshow"} - av.formats_available
    for kind in missing:
        with pytest.raises(CannotOpen) as failure:
            open_source(order(f"{kind}:0"))
        assert failure.value.over.reason == f"This machine's FFmpeg cannot read {kind} devices."
        assert failure.value.over.final
    assert missing, "no machine has both"
