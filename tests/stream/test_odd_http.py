"""Films and playlists as web servers really send them: without the names, types and heads of the book."""

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from stream.errors import BadSource
from stream.file.first_bytes import longest
from stream.pull.errors import CannotOpen
from stream.pull.io.http.encrypted_segment import EncryptedSegment
from stream.pull.io.http.file import Appetite
from tests.stream.opening import look, open_source, order
from tests.stream.test_motion_jpeg import Arriving
from tests.stream.videos import write_video

MPEGURL = "application/vnd.apple.mpegurl"


def playlist(*segments, head="#EXT-X-TARGETDURATION:8\n"):
    return f"#EXTM3U\n{head}{''.join(segments)}#EXT-X-ENDLIST\n".encode()


@pytest.mark.parametrize("name", ["seg0", "seg0.php", "seg0.jpg", "seg0.m3u8.bin", "seg?id=1.x"])
def test_a_segment_may_have_any_name(site, address, films, name):
    site.file(f"/{name.partition('?')[0]}", films["ts"].read_bytes(), "image/jpeg")
    site.file("/live.m3u8", playlist(f"#EXTINF:8,\n{name}\n"), MPEGURL)
    _, picked = look(order(f"{address}/live.m3u8"))
    assert len(picked) >= 15


@pytest.mark.parametrize("content_type", [MPEGURL, "text/plain", "application/octet-stream"])
def test_a_playlist_is_known_by_what_it_holds(site, address, films, content_type):
    site.file("/seg0.ts", films["ts"].read_bytes())
    site.file("/watch.php", playlist("#EXTINF:8,\nseg0.ts\n"), content_type)
    _, picked = look(order(f"{address}/watch.php?v=1"))
    assert len(picked) >= 15


def test_a_segment_that_is_no_video_makes_no_pictures(site, address):
    site.file("/notes.txt", b"\x1b[1mtext that FFmpeg would draw\n" * 200, "text/plain")
    site.file("/live.m3u8", playlist("#EXTINF:8,\nnotes.txt\n"), MPEGURL)
    with pytest.raises(CannotOpen):
        look(order(f"{address}/live.m3u8"))


def test_a_playlist_of_parts_of_one_file_plays_each_part(site, address, tmp_path):
    parts = [
        write_video(
            tmp_path / f"{i}.ts",
            seconds=2.0,
            rate=10,
            codec="libx264",
            options={"g": "10", "bf": "0"},
            container={"output_ts_offset": str(2 * i)},
        ).read_bytes()
        for i in range(3)
    ]
    site.unannounced("/all.ts", b"".join(parts))
    segments, at = [], 0
    for part in parts:
        segments.append(f"#EXTINF:2,\n#EXT-X-BYTERANGE:{len(part)}@{at}\nall.ts\n")
        at += len(part)
    head = "#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:2\n"
    site.file("/live.m3u8", playlist(*segments, head=head), MPEGURL)
    picker, picked = look(order(f"{address}/live.m3u8"))
    assert picker.seen == 60
    assert len(picked) == 12


def encrypted(film, key):
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES128(key), modes.CBC(bytes(16))).encryptor()
    return encryptor.update(padder.update(film) + padder.finalize()) + encryptor.finalize()


def test_encrypted_segments_are_played_through_the_guard(site, address, films):
    key = bytes(range(16))
    site.file("/key", key)
    site.file("/hidden", encrypted(films["ts"].read_bytes(), key))
    sealed = f'#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x{"0" * 32}\n'
    both = f"{sealed}#EXTINF:8,\nmissing\n#EXTINF:8,\nhidden\n"
    site.file("/live.m3u8", playlist(both), MPEGURL)
    assert look(order(f"{address}/live.m3u8"))[0].seen == 160
    away = sealed.replace('"key"', '"http://127.0.0.2:1/key"')
    site.file("/away.m3u8", playlist(f"{away}#EXTINF:8,\nhidden\n"), MPEGURL)
    with pytest.raises(CannotOpen, match="private network"):
        open_source(order(f"{address}/away.m3u8", allowed=("127.0.0.1/32",)))


@pytest.mark.parametrize("size", [1, 15, 16, 5000])
def test_a_segment_is_decrypted_however_it_comes(size):
    film, key = bytes(range(256)) * 20, bytes(16)
    whole = encrypted(film, key)
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    read = EncryptedSegment(Arriving(*pieces, b""), key.hex(), bytes(16).hex())
    assert b"".join(iter(lambda: read.read(700), b"")) == film
    cut = EncryptedSegment(Arriving(whole[:-20], b""), key.hex(), bytes(16).hex())
    with pytest.raises(OSError, match="cannot be decrypted"):
        b"".join(iter(cut.read, b""))


@pytest.mark.parametrize("most", [None, 1500])
def test_ranges_that_are_not_announced_are_used(site, address, films, most):
    site.unannounced("/film", films["long"].read_bytes(), most)
    source = open_source(order(f"{address}/film"))
    assert source.finite
    source.close()
    picker, _ = look(order(f"{address}/film"))
    assert picker.seen == 160


def test_a_film_that_needs_ranges_of_a_server_without_says_so(site, address, tmp_path):
    late = write_video(tmp_path / "late.mp4", 2.0, 10, size=(1280, 720), codec="mjpeg")
    site.whole("/late.mp4", late.read_bytes())
    with pytest.raises(CannotOpen, match="the server sends no parts of files"):
        open_source(order(f"{address}/late.mp4"))
    early = write_video(
        tmp_path / "early.mp4", 2.0, 10, codec="libx264", container={"movflags": "faststart"}
    )
    site.whole("/early.mp4", early.read_bytes())
    assert look(order(f"{address}/early.mp4"))[0].seen == 20


@pytest.mark.parametrize("status", [400, 416, 501])
def test_a_server_that_refuses_to_be_asked_for_a_range_is_asked_without(
    site, address, films, status
):
    site.whole("/film.ts", films["ts"].read_bytes())
    answer = site.answers["/film.ts"]
    site.answers["/film.ts"] = lambda handler: (
        handler.send_error(status) if "Range" in handler.headers else answer(handler)
    )
    source = open_source(order(f"{address}/film.ts"))
    assert source.video.width == 96
    source.close()


@pytest.mark.parametrize(
    ("text", "content_type", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "SVG drawing"),
        (b"<?xml version='1.0'?>\n<!-- a -->\n<svg/>", "", "SVG drawing"),
        (b"<?xml version='1.0'?>\n<MPD type='dynamic'>", "application/dash+xml", "MPEG-DASH"),
        (b"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'>", "", "MPEG-DASH"),
        (b"<?xml version='1.0'?><ResponseStatus>4</ResponseStatus>", "text/xml", "XML document"),
        (b"http://cam.example/live.ts\n", "audio/x-mpegurl", "list of addresses"),
        (b"[playlist]\nFile1=rtsp://cam.example/live\n", "audio/x-scpls", "list of addresses"),
        (b'{"error": "no such camera"}', "application/json", "is JSON"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><title>Camera</title>", "", "web page"),
        (b"<HTML><body>Log in</body></HTML>", "text/html", "web page"),
    ],
)
def test_a_drawing_or_a_web_page_is_refused_in_words(
    site, address, tmp_path, text, content_type, reason
):
    site.file("/page", text, content_type)
    (tmp_path / "page").write_bytes(text)
    for where in (f"{address}/page", str(tmp_path / "page")):
        with pytest.raises(CannotOpen, match=reason):
            open_source(order(where))


def test_a_playlist_on_this_machine_may_name_segments_as_it_likes(films, tmp_path):
    (tmp_path / "seg0").write_bytes(films["ts"].read_bytes())
    (tmp_path / "list").write_bytes(playlist("#EXTINF:8,\nseg0\n"))
    assert len(look(order(str(tmp_path / "list")))[1]) >= 15


SCRIPT = "ffconcat version 1.0\nfile "
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n"


@pytest.mark.parametrize(
    "lists",
    [
        {"a": f"{MASTER}a\n"},
        {"a": f"{MASTER}b\n", "b": f"{MASTER}a\n"},
        {"a": f"{SCRIPT}'a'\n"},
        {"a": f"{SCRIPT}b\n", "b": f"{SCRIPT}c\n"},
    ],
)
def test_lists_on_this_machine_that_lead_to_lists_are_refused(lists, tmp_path):
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(CannotOpen, match="names lists itself"):
        open_source(order(str(tmp_path / "a")))


def test_a_list_of_files_of_this_machine_is_played(films, tmp_path):
    (tmp_path / "seg0").write_bytes(films["ts"].read_bytes())
    (tmp_path / "low").write_bytes(playlist("#EXTINF:8,\nseg0\n"))
    (tmp_path / "all").write_text(f"{MASTER}low\n")
    (tmp_path / "script").write_text(f"{SCRIPT}seg0\nfile seg0\n")
    assert len(look(order(str(tmp_path / "all")))[1]) >= 15
    assert len(look(order(str(tmp_path / "script")))[1]) >= 30


def send_for_ever(head, more, content_type="application/octet-stream"):
    """Send `more` after `head` until the client has enough."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", content_type)
        handler.end_headers()
        handler.close_connection = True
        handler.wfile.write(head)
        for _ in range(1000):
            handler.wfile.write(more * (64 * 1024 // len(more)))
        pytest.fail("all 64 MB were taken")

    return answer


CUE = b"00:00.000 --> 00:01.000\nhello\n\n"
TEXTS = {
    "webvtt": (b"WEBVTT\n\n", CUE),
    "webvtt with a mark": (b"\xef\xbb\xbfWEBVTT\n\n", CUE),
    "webvtt of wide letters": (
        "\ufeffWEBVTT\n\n".encode("utf-16-le"),
        CUE.decode().encode("utf-16-le"),
    ),
    "subrip": (
        b"1\n00:00:00,000 --> 00:00:01,000\nhello\n\n",
        b"2\n00:00:01,000 --> 00:00:02,000\nx\n\n",
    ),
    "letters": (b"hello " * 20, b"hello "),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_without_an_end_is_given_up(site, address, monkeypatch, kind):
    monkeypatch.setattr("stream.file.first_bytes._LONGEST_TEXT", 100_000)
    site.answers["/live"] = send_for_ever(*TEXTS[kind])
    with pytest.raises(CannotOpen, match="text of more than"):
        open_source(order(f"{address}/live"))


def test_a_playlist_that_names_a_text_without_an_end_is_given_up(site, address, monkeypatch):
    monkeypatch.setattr("stream.file.first_bytes._LONGEST_TEXT", 100_000)
    site.answers["/0.vtt"] = send_for_ever(*TEXTS["webvtt"])
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n0.vtt\n#EXT-X-ENDLIST\n"
    site.file("/live.m3u8", playlist.encode())
    with pytest.raises(CannotOpen):
        open_source(order(f"{address}/live.m3u8"))


def test_a_playlist_without_an_end_is_given_up(site, address, monkeypatch):
    monkeypatch.setattr("stream.pull.io.http.hls.LONGEST_PLAYLIST", 100_000)
    site.answers["/live"] = send_for_ever(b"#EXTM3U\n", b"#EXTINF:1,\n0.ts\n")
    with pytest.raises(CannotOpen, match="too long"):
        open_source(order(f"{address}/live"))


@pytest.mark.parametrize("name", ["ts", "long", "jpeg"])
def test_no_video_is_taken_for_text(films, name):
    assert longest(films[name].read_bytes()[:64]) is None


def test_what_pictures_follow_is_no_text():
    for head in (
        b"--cut\r\nContent-Type: image/jpeg\r\n",
        b"\r\n--cut\r\n",
        b"YUV4MPEG2 W320 H240 F25:1\nFRAME\n",
        b"P6 640 480 255\n",
    ):
        assert longest(head) is None


ENDLESS = b"\x00\x00\x01\x65" + 32_000 * b"\x55"


@pytest.fixture(scope="module")
def raw_h264(tmp_path_factory):
    path = tmp_path_factory.mktemp("raw") / "film.h264"
    return write_video(path, 2.0, codec="libx264", options={"bf": "0"}).read_bytes()


def test_a_picture_without_an_end_is_given_up(site, address, monkeypatch, raw_h264):
    monkeypatch.setattr("stream.pull.io.http.file._LONGEST_WITHOUT_PICTURE", 2 * 2**20)
    site.answers["/live"] = send_for_ever(raw_h264 + ENDLESS, b"U")
    with pytest.raises((CannotOpen, BadSource), match=r"2 MiB came .* hold no picture"):
        look(order(f"{address}/live"))


def test_every_picture_makes_room_for_as_much_as_the_first(monkeypatch):
    monkeypatch.setattr("stream.pull.io.http.file._LONGEST_WITHOUT_PICTURE", 100)
    appetite = Appetite()
    for _ in range(3):
        appetite.take(100)
        appetite.satisfy()
    with pytest.raises(BadSource):
        appetite.take(101)
    appetite.lift()
    appetite.take(101)
