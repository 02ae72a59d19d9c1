import base64
import os
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.address.reachable import (
    check_addresses,
    check_literal,
    is_this_machine,
    may_be_reached,
    pin,
    read_networks,
    resolve,
)
from stream.address.source_url import read_source
from stream.errors import BadSource
from stream.pull.messages import ReaderConfig
from tests.stream.videos import write_video

FORMS = [
    "", " ", "cam", "/etc/passwd", "../../etc/passwd", "file:///etc/passwd", "FILE:///etc/passwd",
    "concat:/etc/passwd|http://example.com/a", "lavfi:testsrc", "data:video/mp4;base64,AAAA",
    "pipe:0", "tcp://example.com:22", "udp://@239.0.0.1:1234", "gopher://example.com/",
    "ftp://example.com/a.mp4", "smb://example.com/a", "async:http://example.com/a",
    "cache:http://example.com/a", "crypto+http://example.com/a", "subfile,,start,0,end,9,,:/etc/passwd",
    "http:///etc/passwd", "http://", "rtsp://", "rtsp://:8554/a", "rtsp://host:99999/a",
    "rtsp://host:-1/a", "rtsp://host:port/a", "http://exa mple.com/", "http://example.com\\@inside/",
    "http://example.com\n.inside/", "http://a@b@inside/", "http://%31%32%37.0.0.1/",
    "http://①②⑦.⓪.⓪.①/", "http://[::1/", "http://[fe80::1%25eth0]/", "http://-x/", "http://localhost./", "srt://host/a",
    "http://" + "a" * 3000, "\u202ehttp://example.com/",
]  # fmt: skip

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "192.0.2.1", "198.18.0.1", "192.0.0.8", "192.88.99.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:c0a8:101::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fe80::1", "fe80::1%lo", "fc00::1", "fd00::2",
    "fec0::1", "3fff::1", "ff02::1", "2001:db8::1", "fd00:ec2::254",
]  # fmt: skip

# Written in ways that only the resolver understands.
SPELLINGS = ["http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://0177.0.0.1/",
             "http://localhost/", "rtsp://0/", "http://good:pw@127.0.0.1/",
             "http://127.0.0.1:80@127.0.0.1/", "http://[::ffff:7f00:1]/"]  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_a_form_that_is_not_allowed_is_refused(text):
    with pytest.raises(BadSource):
        read_source(text)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_leads_inside_is_refused(address):
    with pytest.raises(BadSource, match="private network"):
        check_addresses("cam.example", [address], ())


@pytest.mark.parametrize("text", SPELLINGS)
async def test_loopback_is_refused_however_it_is_spelt(text):
    source = read_source(text)
    found = resolve(source.host, source.port)
    assert any(ip_address(a).is_loopback or ip_address(a).is_unspecified for a in found) or (
        found == ["::ffff:127.0.0.1"]
    )
    with pytest.raises(BadSource, match="private network"):
        await pin(source, (), resolve)


def test_one_address_inside_spoils_a_name_that_also_leads_outside():
    with pytest.raises(BadSource):
        check_addresses("cam.example", ["93.184.216.34", "127.0.0.1"], ())


def test_public_addresses_are_fine():
    for address in ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"):
        assert check_addresses("cam.example", [address], ()) == address


def test_this_machines_own_public_address_is_refused_unless_it_is_allowed():
    own = ("93.184.216.34", "2606:2800::1")
    for text in ("93.184.216.34", "2606:2800::1", "::ffff:93.184.216.34"):
        with pytest.raises(BadSource, match="machine of this service itself"):
            check_addresses("cam.example", [text], (), own)
        check_addresses("cam.example", [text], read_networks(own), own)
        assert not may_be_reached(text, (), own)
        assert may_be_reached(text, read_networks(own), own)
    check_addresses("cam.example", ["93.184.216.35"], (), own)


def test_which_addresses_are_this_machines_is_known():
    assert is_this_machine(ip_address("127.0.0.1"))
    assert not is_this_machine(ip_address("93.184.216.34"))
    assert not is_this_machine(ip_address("2606:2800::1"))


@pytest.mark.parametrize(
    "url",
    [*SPELLINGS, "rtsp://169.254.169.254/", "http://[fd00::2]/a", "rtmp://sub.LOCALHOST/live"],
)
def test_an_address_that_may_not_be_reached_is_refused_before_anything_is_begun(url):
    with pytest.raises(BadSource, match="private network"):
        check_literal(read_source(url), ())
    check_literal(read_source(url), read_networks(["0.0.0.0/0", "::/0"]))


def test_a_name_is_left_to_be_looked_up():
    check_literal(read_source("rtsp://cam.invalid/live"), ())


def test_a_name_nobody_knows_says_so():
    with pytest.raises(BadSource, match=r"cam\.invalid is not known"):
        check_addresses("cam.invalid", [], ())


def test_the_operator_can_allow_a_range_and_only_that():
    allowed = read_networks(["192.168.1.0/24", "fd00::/64", "::1"])
    for address in ("192.168.1.9", "::ffff:192.168.1.9", "fd00::9", "::1"):
        check_addresses("cam", [address], allowed)
    for address in ("192.168.2.9", "127.0.0.1", "fd01::9"):
        with pytest.raises(BadSource):
            check_addresses("cam", [address], allowed)


async def test_the_address_that_was_checked_is_the_one_that_is_dialled():
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    source = read_source("rtsp://rebinding.example/cam")
    address = await pin(source, (), lambda _host, _port: next(answers))
    assert source.at(address) == "rtsp://93.184.216.34:554/cam"


def test_credentials_are_split_off_and_never_shown():
    source = read_source("rtsp://ad%40min:s%3Acret@cam.example:8554/live?token=hush&x=1")
    assert (source.username, source.password) == ("ad@min", "s:cret")
    assert source.shown == "rtsp://cam.example:8554/live?…"
    for text in (repr(source), str(source), source.shown):
        assert "cret" not in text
        assert "admin" not in text
    assert "hush" not in source.shown
    assert source.at("192.0.2.7") == ("rtsp://ad%40min:s%3Acret@192.0.2.7:8554/live?token=hush&x=1")


@pytest.mark.parametrize(
    "password", ["12345/7x", "987#ab", "what?7", "a@b", "a/b@c", "/", "#", "?"]
)
@pytest.mark.parametrize("scheme", ["rtsp", "https", "srt"])
@pytest.mark.parametrize("local", [True, False])
def test_a_password_that_cuts_the_url_in_two_is_refused_with_what_to_write(password, scheme, local):
    with pytest.raises(BadSource, match="write / as %2F") as refusal:
        read_source(f"{scheme}://admin:{password}@127.0.0.1:8554/live", local=local)
    assert "12345" not in str(refusal.value)
    source = read_source(f"{scheme}://admin:{quote(password, safe='')}@127.0.0.1:8554/live")
    assert (source.host, source.password, source.path) == ("127.0.0.1", password, "/live")


@pytest.mark.parametrize("secret", ["a%0D%0AX: y:pw", "a:p%00w", "a:pw%0a", "a%7f:pw"])
def test_control_characters_in_a_user_name_or_password_are_refused(secret):
    for scheme in ("rtsp", "http"):
        with pytest.raises(BadSource, match=r"control characters|write a space"):
            read_source(f"{scheme}://{secret}@camera.example/live")


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("go2rtc_1", "go2rtc_1"),
        ("_cam._tcp.local", "_cam._tcp.local"),
        ("CAM", "cam"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("摄像头", "xn--o1q97ryrj"),
    ],
)
def test_hosts_are_called_as_containers_and_countries_call_them(written, host):
    assert read_source(f"rtsp://a:b@{written}/live").host == host


@pytest.mark.parametrize("host", ["a b", "-cam", "cam-", "a..é", "é" * 70, "cam%5f1", "[cam]", ""])
def test_a_host_that_is_no_name_is_refused(host):
    with pytest.raises(BadSource):
        read_source(f"http://{host}/live")


@pytest.mark.parametrize("tail", ["live#t=1", "live?user=a@b", "a@b/live", "#"])
def test_an_at_sign_or_a_fragment_behind_the_host_is_refused(tail):
    with pytest.raises(BadSource, match="ambiguous"):
        read_source(f"rtsp://camera.example/{tail}")


def test_refusals_never_repeat_the_credentials():
    for text in ("rtsp://user:s3cret@host:99999/", "xyz://user:s3cret@host/", "u:s3cret@host"):
        with pytest.raises(BadSource) as refusal:
            read_source(text)
        assert "s3cret" not in str(refusal.value)


NAMES = {
    "of macOS": "Screen Recording 2026-01-02 at 9.41.00\u202fAM.mp4",
    "joined emoji": "family 👨\u200d👩\u200d👧.mp4",
    "ideographic space": "録画\u3000テスト.mp4",
    "Persian": "می\u200cخواهم.mp4",  # noqa: RUF001
    "leading space": " lead.mp4",
    "trailing space": "trail.mp4 ",
    "not UTF-8": os.fsdecode(b"caf\xe9.mp4"),
    "several lines": "a\nb\t.mp4",
    "percent": "a%20b.mp4",
    "device": "lavfi:x.mp4",
    "scheme": "file:x.mp4",
    "long": f"{('a' * 250 + '/') * 9}b.mp4",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_file_that_exists_is_a_source_whatever_its_name(tmp_path, monkeypatch, name):
    film = tmp_path / name
    monkeypatch.chdir(tmp_path)
    film.parent.mkdir(parents=True, exist_ok=True)
    film.write_bytes(b"x")
    texts = {str(film), film.as_uri(), f"file://localhost{quote(os.fsencode(film))}", name}
    for text in texts:
        source = read_source(text, local=True)
        assert source.scheme == "file"
        assert Path(source.path).samefile(film)
        assert source.shown.encode()


def test_a_name_is_shown_without_what_steers_a_terminal():
    source = read_source("\x1b[2Jab\u202egpj.4pm\udce9", local=True)
    assert source.shown == "\\x1b[2Jab\\u202egpj.4pm\\udce9"
    assert read_source(NAMES["joined emoji"], local=True).shown == NAMES["joined emoji"]


def test_a_file_that_does_not_exist_may_be_a_device_or_a_url(tmp_path):
    assert read_source("lavfi:nothere.mp4", local=True).is_device
    missing = read_source(f"file://{tmp_path}/no%20film.mp4", local=True)
    assert missing.path == f"{tmp_path}/no film.mp4"
    with pytest.raises(BadSource, match="not supported"):
        read_source("ftp://host/film.mp4", local=True)


def test_files_are_for_the_command_line_alone(tmp_path):
    film = tmp_path / "film.mp4"
    assert read_source(str(film), local=True).path == str(film)
    assert read_source(f"file://{film}", local=True).scheme == "file"
    with pytest.raises(BadSource, match="begins with one of http://"):
        read_source(str(film))


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("/dev/video0", "v4l2", "/dev/video0"),
        ("v4l2:/dev/video2?framerate=15", "v4l2", "/dev/video2?framerate=15"),
        ("avfoundation:0", "avfoundation", "0"),
        ("dshow:video=Integrated Camera", "dshow", "video=Integrated Camera"),
    ],
)
def test_devices_are_for_the_command_line_alone(text, kind, name):
    source = read_source(text, local=True)
    assert (source.scheme, source.path, source.is_device, source.is_local) == (
        kind,
        name,
        True,
        True,
    )
    assert source.shown == f"{kind}:{name}"
    with pytest.raises(BadSource, match="begins with one of http://"):
        read_source(text)


@pytest.mark.parametrize(
    ("text", "port"),
    [("http://h/", 80), ("https://h", 443), ("rtsp://h/", 554), ("rtmp://h/", 1935)],
)
def test_schemes_have_their_ports(text, port):
    assert read_source(text).port == port
    assert (
        read_source(text.replace("h", "h:81") if text.count("h") == 1 else "http://h:81").port == 81
    )


def test_addresses_of_version_six_are_written_in_brackets():
    source = read_source("http://[2606:2800::1]:81/a")
    assert (source.host, source.shown) == ("2606:2800::1", "http://[2606:2800::1]:81/a")
    assert source.at(source.host) == "http://[2606:2800::1]:81/a"


@given(st.text(), st.sampled_from(["", "http://", "rtsp://u:p@", "http://[", "srt://h:"]))
def test_any_text_is_read_or_refused(text, start):
    try:
        source = read_source(start + text)
    except BadSource:
        return
    assert source.host
    assert 0 <= source.port <= 65535


def test_the_resolver_gives_nothing_for_a_name_that_cannot_be():
    assert resolve("a" * 300, 80) == []


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("user=admin&password=hunter2&channel=1.sdp", "user=…&password=…&channel=1.sdp"),
        ("user=admin_password=hunter2_channel=1_stream=0.sdp", "user=…"),
        ("user=admin_password=hun/ter2_channel=1_stream=0.sdp", "user=…/…"),
        ("password=hun/ter2&channel=1.sdp", "password=…/…&channel=1.sdp"),
        ("channel=1_USR=admin_pwd=hunter2/sub", "channel=…/sub"),
        ("live;p%61sswd=hunter2;Token=hunter2;x=1", "live;p%61sswd=…;Token=…;x=1"),
        ("a/apikey%3Dhunter2/b", "a/…/b"),
        ("admin:hunter2%40main", "…"),
        ("Streaming/channel=1/live:1", "Streaming/channel=1/live:1"),
    ],
)
def test_what_looks_like_a_secret_in_a_path_is_not_shown(path, shown):
    source = read_source(f"rtsp://192.0.2.7/{path}")
    assert source.shown == f"rtsp://192.0.2.7:554/{shown}"
    assert source.at("192.0.2.7").endswith(path)
    assert "hunter2" not in repr(source)


def test_an_order_shows_no_secret_either():
    order = ReaderConfig(
        "rtsp", "h", 554, "/user=admin&password=hunter2?key=hunter3", "192.0.2.7", 3
    )
    assert "hunter" not in repr(order)


def test_a_refusal_names_what_this_ffmpeg_can_open():
    with pytest.raises(BadSource) as refusal:
        read_source("gopher://h/")
    assert ("srt://" in str(refusal.value)) is can_open_srt()
    for scheme in ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps"):
        assert f"{scheme}://" in str(refusal.value)


def can_open_srt():
    # A caller's address would be dialled; here nobody listens.
    try:
        av.open("srt://127.0.0.1:9?connect_timeout=1", timeout=1)
    except av.error.ProtocolNotFoundError:
        return False
    except av.FFmpegError:
        return True


def plain_forms(film):
    data = base64.b64encode(film.read_bytes()).decode()
    return {
        "file": f"file:{film}",
        "concat": f"concat:{film}|{film}",
        "subfile": f"subfile,,start,0,end,0,,:{film}",
        "cache": f"cache:{film}",
        "async": f"async:{film}",
        "data": f"data:video/mp2t;base64,{data}",
    }


@pytest.mark.parametrize("form", ["file", "concat", "subfile", "cache", "async", "data"])
def test_what_is_refused_is_what_ffmpeg_would_have_read(tmp_path, form):
    film = write_video(tmp_path / "a.ts", 1.0, 10, codec="libx264", options={"bf": "0"})
    url = plain_forms(film)[form]
    with av.open(url) as secret:
        assert len(list(secret.decode(video=0))) >= 2
    with pytest.raises(BadSource):
        read_source(url)
