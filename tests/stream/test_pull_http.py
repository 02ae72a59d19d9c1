"""Films, live streams and playlists of web servers, and where a playlist may lead."""

import io
from itertools import count

import av
import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from PIL import Image

from stream.pull.decode import Picker
from stream.pull.errors import CannotOpen
from tests.stream.certificates import Certified
from tests.stream.http_server import send_file, send_pictures, serve, serve_also
from tests.stream.opening import PlayClock, look, open_source, order, steps
from tests.stream.videos import write_video


def jpeg(colour):
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return out.getvalue()


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


def test_an_encrypted_web_server_is_read_once_its_certificate_is_believed(site, films, tmp_path):
    certified = Certified(tmp_path, "web")
    site.file("/film.mp4", films["long"].read_bytes(), "video/mp4")
    with serve(site, certificate=certified.both) as address:
        with pytest.raises(CannotOpen, match="signed by nobody this machine trusts"):
            open_source(order(f"{address}/film.mp4", trusted=True))
        certificates = str(certified.certificate)
        _, picked = look(order(f"{address}/film.mp4", certificates=certificates))
    assert len(picked) >= 15


def test_a_playlist_is_played_through_the_guard(site, address, films):
    site.file("/seg0.ts", films["ts"].read_bytes(), "video/mp2t")
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nseg0.ts\n#EXT-X-ENDLIST\n"
    site.file("/live.m3u8", playlist.encode(), "application/vnd.apple.mpegurl")
    _, picked = look(order(f"{address}/live.m3u8"))
    assert len(picked) >= 15
    assert {path for path, _ in site.asked} == {"/live.m3u8", "/seg0.ts"}


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
    for name in ("plain", "nested"):
        assert len(look(order(str(tmp_path / f"{name}.m3u8")))[1]) >= 15
    with pytest.raises(CannotOpen):
        open_source(order(str(tmp_path / "away.m3u8"), trusted=True))
    assert site.asked == []
