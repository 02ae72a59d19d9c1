"""Playlists that an encoder writes into a folder of this machine."""

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from stream.errors import NoVideo
from stream.file.film import open_film
from stream.pull.errors import CannotOpen
from stream.pull.messages import Place
from tests.stream.opening import look, open_source, order
from tests.stream.videos import write_video

HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"
KEY, IV = bytes(range(16)), bytes(15) + b"\x07"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "7.ts"
    return write_video(path, 2.0, codec="libx264", options={"g": "10", "bf": "0"}).read_bytes()


@pytest.fixture
def write(tmp_path, film):
    """Write two segments and their playlist into a folder; return the playlist's order."""

    def write(lines, head=HEAD, folder="hls", data=film, **more):
        where = tmp_path / folder
        where.mkdir(exist_ok=True)
        for number in (7, 8):
            (where / f"{number}.ts").write_bytes(data)
        (where / "live.m3u8").write_text(head + lines)
        return order(str(where / "live.m3u8"), **more)

    return write


def segments(*names):
    return "".join(f"#EXTINF:2,\n{name}\n" for name in names)


def test_what_was_seen_of_a_live_playlist_is_not_shown_again(write):
    text = segments("7.ts", "8.ts")
    picker, _ = look(write(text, after=Place(segment=7, name="7.ts"), silence=1.0))
    assert picker.seen == pytest.approx(20, abs=1)
    with pytest.raises(CannotOpen) as failure:
        open_source(write(text, after=Place(segment=8, name="8.ts"), open_within=0.1))
    assert "is not written any more" in failure.value.over.reason


@pytest.mark.parametrize("end", ["#EXT-X-ENDLIST\n", ""])
def test_a_playlist_with_an_end_is_seen_once(write, end):
    head = HEAD if end else HEAD + "#EXT-X-PLAYLIST-TYPE:VOD\n"
    source = open_source(write(segments("7.ts") + end, head))
    try:
        assert sum(bool(packet.size) for packet in source.container.demux(source.video)) == 20
        assert (source.finite, source.has_ended(), source.place().name) == (True, True, "7.ts")
    finally:
        source.close()
    with pytest.raises(CannotOpen, match="at its end") as failure:
        open_source(write(segments("7.ts") + end, head, after=source.place()))
    assert failure.value.over.final


@pytest.mark.parametrize("folder", ["a#b", "what?", "100%", "a%20b", "Küche 1", "x:y"])
def test_its_folder_is_called_as_it_likes(write, folder):
    picker, _ = look(write(segments("7.ts", "8.ts") + "#EXT-X-ENDLIST\n", folder=folder))
    assert picker.seen >= 20


@pytest.mark.parametrize("form", ["{}", "file:{}", "file://{}"])
def test_its_segments_may_be_named_in_full(write, tmp_path, form):
    name = form.format(tmp_path / "hls" / "7.ts")
    picker, _ = look(write(segments(name) + "#EXT-X-ENDLIST\n"))
    assert picker.seen == 20


def test_encrypted_segments_are_read(write, tmp_path, film):
    padder, cipher = padding.PKCS7(128).padder(), Cipher(algorithms.AES128(KEY), modes.CBC(IV))
    plain, encryptor = padder.update(film) + padder.finalize(), cipher.encryptor()
    (tmp_path / "key").write_bytes(KEY)
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="{tmp_path}/key",IV=0x{IV.hex()}\n'
    secret = encryptor.update(plain) + encryptor.finalize()
    picker, _ = look(write(key + segments("7.ts") + "#EXT-X-ENDLIST\n", data=secret))
    assert picker.seen == 20


def test_a_segment_that_was_deleted_is_passed_over(write):
    picker, _ = look(write(segments("6.ts", "8.ts") + "#EXT-X-ENDLIST\n"))
    assert picker.seen == 20


def test_it_leads_nowhere_else(write, site, address, film):
    site.file("/7.ts", film)
    with pytest.raises(CannotOpen):
        open_source(write(segments(f"{address}/7.ts") + "#EXT-X-ENDLIST\n"))
    assert not site.asked


def test_a_list_of_channels_is_called_that(tmp_path):
    path = tmp_path / "channels.m3u"
    path.write_text("#EXTM3U\n#EXTINF:-1,One\nhttp://a.example/1.m3u8\n")
    with pytest.raises(NoVideo, match="is a list of addresses"):
        open_film(path)
    with pytest.raises(CannotOpen, match="is a list of addresses"):
        open_source(order(str(path)))
