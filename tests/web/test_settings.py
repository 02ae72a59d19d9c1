import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.frames.rate import RateController
from tests.stream.certificates import Certified
from web.errors import BadValue
from web.pulled_sources import pull_settings
from web.settings import PREFIX, Settings, variables
from web.stream_settings import stream_settings


def test_without_variables_the_service_stays_on_loopback():
    settings = Settings.from_env({})
    assert settings.on_loopback
    assert settings.token == ()


def test_a_bad_value_names_its_variable():
    with pytest.raises(BadValue, match="FLASHBACK_SAMPLE_RATE: Input should be greater than 0"):
        Settings.from_env({"FLASHBACK_SAMPLE_RATE": "0"})


def test_a_misspelt_variable_is_refused():
    with pytest.raises(BadValue, match="FLASHBACK_TOKNE is not a setting"):
        Settings.from_env({"FLASHBACK_TOKNE": "secret"})


def test_a_refusal_never_repeats_the_secret():
    with pytest.raises(BadValue) as refusal:
        Settings.from_env({"FLASHBACK_TOKNE": "hunter2", "FLASHBACK_PORT": "hunter2"})
    assert "hunter2" not in str(refusal.value)


def test_secrets_do_not_show_in_the_settings_as_text():
    environ = {"FLASHBACK_TOKEN": "hunter2, other", "FLASHBACK_REDIS_URL": "redis://:hunter2@h"}
    settings = Settings.from_env(environ)
    assert "hunter2" not in repr(settings)
    assert [token.get_secret_value() for token in settings.token] == ["hunter2", "other"]


def test_lists_are_split_at_commas():
    settings = Settings.from_env({"FLASHBACK_STUN": "stun:a:1, stun:b:2 ,"})
    assert settings.stun == ("stun:a:1", "stun:b:2")


def test_the_command_line_wins_over_the_environment_and_silence_does_not():
    settings = Settings.from_env(
        {"FLASHBACK_PORT": "1", "FLASHBACK_MODEL": "tiny"}, port=2, model=None
    )
    assert (settings.port, settings.model) == (2, "tiny")


def test_an_option_that_is_empty_is_not_set():
    settings = Settings.from_env({"FLASHBACK_PORT": "9000"}, host="", data="", model="", port=None)
    assert settings == Settings(port=9000)
    assert settings.on_loopback


def test_more_sources_than_places_stop_the_start_but_not_more_than_a_token_may_have():
    sources = ", ".join(f"cam{i}=rtsp://camera.invalid/{i}" for i in range(33))
    with pytest.raises(BadValue, match="names 33 streams; FLASHBACK_MAX_STREAMS allows 32"):
        Settings.from_env({"FLASHBACK_SOURCE": sources})
    environ = {"FLASHBACK_SOURCE": sources, "FLASHBACK_MAX_STREAMS": "33"}
    assert len(list(Settings.from_env(environ).sources)) == 33


def test_a_port_range_is_read_and_checked():
    assert Settings.from_env({"FLASHBACK_UDP_PORTS": "50000-50010"}).udp_ports == (50000, 50010)
    with pytest.raises(BadValue, match="FIRST-LAST"):
        Settings.from_env({"FLASHBACK_UDP_PORTS": "50010-50000"})


@pytest.mark.parametrize("host", ["example.com", "2001:db8::1"])
def test_an_advertised_host_must_be_an_ipv4_address(host):
    with pytest.raises(BadValue, match="FLASHBACK_ADVERTISED_HOST"):
        Settings.from_env({"FLASHBACK_ADVERTISED_HOST": host})


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("STUN", "stun.example.org"),
        ("STUN", "stun:example.org?transport=tcp"),
        ("STUN", "stun:[::1]:3478"),
        ("TURN", "turn:example.org?transport=quic"),
        ("TURN", "turns:example.org?transport=udp"),
        ("TURN", "stun:example.org"),
        ("TURN", 'turn:example.org">; rel="ice-server"'),
    ],
)
def test_an_ice_server_that_no_peer_could_use_stops_the_start(name, url):
    with pytest.raises(BadValue, match=f"FLASHBACK_{name}: give {name.lower()}:HOST:PORT"):
        Settings.from_env({f"FLASHBACK_{name}": url, "FLASHBACK_TURN_SECRET": "hunter2"})


def test_a_turn_server_needs_its_secret():
    with pytest.raises(BadValue, match="FLASHBACK_TURN needs FLASHBACK_TURN_SECRET"):
        Settings.from_env({"FLASHBACK_TURN": "turn:example.org"})


def test_a_file_of_certificates_must_be_one(tmp_path):
    certified = Certified(tmp_path, "camera")
    file = str(certified.certificate)
    given = Settings.from_env({"FLASHBACK_SOURCE_CERTIFICATES": file})
    assert given.source_certificates == certified.certificate
    (tmp_path / "text").write_text("no certificate")
    for other in ("text", "nowhere.pem"):
        with pytest.raises(BadValue, match=f"{other} is not a PEM certificate file"):
            Settings.from_env({"FLASHBACK_SOURCE_CERTIFICATES": str(tmp_path / other)})


def test_a_source_needs_a_name_and_a_url():
    settings = Settings.from_env({"FLASHBACK_SOURCE": "door=rtsp://10.0.0.5/a?b=c"})
    assert list(settings.sources) == [("door", "rtsp://10.0.0.5/a?b=c")]
    with pytest.raises(BadValue, match="NAME=URL"):
        Settings.from_env({"FLASHBACK_SOURCE": "rtsp://10.0.0.5/"})


def test_a_comma_inside_of_a_url_does_not_end_it():
    environ = {"FLASHBACK_SOURCE": "a=rtsp://h/x,y?z=1,2, b=/dev/video0,c_1-d=http://h/,"}
    assert list(Settings.from_env(environ).sources) == [
        ("a", "rtsp://h/x,y?z=1,2"),
        ("b", "/dev/video0"),
        ("c_1-d", "http://h/"),
    ]


def test_passwords_of_sources_do_not_show_in_the_settings_as_text():
    settings = Settings.from_env({"FLASHBACK_SOURCE": "door=rtsp://ann:hunter2@h/?key=hunter3"})
    assert "hunter" not in repr(settings) + str(settings)
    with pytest.raises(BadValue) as refusal:
        Settings.from_env({"FLASHBACK_SOURCE": "rtsp://ann:hunter2@h/"})
    assert "hunter" not in str(refusal.value)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_the_transport_of_sources_can_be_chosen(transport):
    settings = Settings.from_env({"FLASHBACK_SOURCE_TRANSPORT": transport})
    assert pull_settings(settings).transport == transport
    assert pull_settings(Settings.from_env({})).transport == "tcp"


@pytest.mark.parametrize(
    ("rate", "slowest", "gap"), [(2.0, 0.5, 5.0), (0.5, 0.5, 5.0), (0.1, 0.1, 25.0)]
)
def test_any_rate_that_may_be_set_can_be_looked_at(rate, slowest, gap):
    looking = stream_settings(Settings.from_env({}, sample_rate=rate))
    assert (looking.rate, looking.slowest_rate, looking.longest_gap) == (rate, slowest, gap)
    assert RateController(looking.rate, looking.slowest_rate).rate == rate


def test_every_variable_says_what_it_means():
    listed = list(variables())
    assert len(listed) == len(Settings.model_fields)
    assert all(name.startswith(PREFIX) and meaning for name, _, meaning in listed)


@given(st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=12), max_size=4))
def test_only_a_bad_setting_is_ever_raised(variables):
    with contextlib.suppress(BadValue):
        Settings.from_env({PREFIX + name: value for name, value in variables.items()})


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("REDIS_URL", "redis://:hunter2/7@redis:6379/0", "write / as %2F"),
        ("REDIS_URL", "redis://:98#hunter2@redis", "write / as %2F"),
        ("REDIS_URL", "unix:///data/hunter2#1/redis.sock", "ambiguous"),
        ("REDIS_URL", "redis+sentinel://:hunter2@one,two", "it looks like redis://"),
        ("REDIS_URL", "http://:hunter2@one", "it looks like redis://"),
        ("REDIS_URL", "redis://:hunter2@one:port", "it looks like redis://"),
        ("REDIS_URL", "redis://:hunter2@one?db=first", "options of redis-py's"),
        ("REDIS_URL", "redis://:hunter2@one?colour=red", "options of redis-py's"),
        ("REDIS_URL", "redis+cluster://:hunter2@one?socket_timeout=soon", "it looks like redis://"),
        ("TRACES", "http://ann:hunter2/v1/traces", "give http://HOST:PORT"),
        ("TRACES", "http://[hunter2", "give http://HOST:PORT"),
        ("SOURCE", "cam=rtsp://admin:a,b=hunter2@camera/live", "comma in a password as %2C"),
        ("SOURCE", "rtsp://admin:hunter2=@camera/live", "give NAME=URL"),
    ],
)
def test_a_url_that_cannot_be_read_stops_the_start_and_is_not_shown(name, value, reason):
    with pytest.raises(BadValue, match=reason) as refusal:
        Settings.from_env({f"FLASHBACK_{name}": value})
    assert "hunter2" not in str(refusal.value)


def test_a_socket_of_redis_may_have_an_at_sign_in_its_path():
    assert Settings.from_env({"FLASHBACK_REDIS_URL": "unix:///run/a@b.sock"}).redis_url


def test_redis_may_be_several_servers():
    url = "rediss+sentinel://user:password@one:26379,two/yard?ssl_ca_certs=/ca.pem"
    assert Settings.from_env({"FLASHBACK_REDIS_URL": url}).redis_url


def test_sources_that_need_no_host_stand_beside_urls():
    text = "a=rtsp://u:p@camera/1,x=2, b=/films/a@b.mp4"
    assert len(list(Settings.from_env({"FLASHBACK_SOURCE": text}).sources)) == 3


def test_a_host_of_a_cluster_knows_under_which_address_it_is_reached():
    assert Settings.from_env({}, cluster=True).own_url == "http://127.0.0.1:8700"
    reached = {"host": "0.0.0.0", "advertised_host": "192.0.2.7"}
    assert Settings.from_env({}, cluster=True, **reached).own_url == "http://192.0.2.7:8700"
    named = Settings.from_env({}, cluster=True, host="::", cluster_url="https://a.example/x")
    assert named.own_url == "https://a.example/x"
    for unknown in ({"host": "0.0.0.0"}, {"host": "::"}, {"port": 0}):
        with pytest.raises(BadValue, match="FLASHBACK_CLUSTER_URL"):
            Settings.from_env({}, cluster=True, **unknown)


def test_hosts_that_join_a_ray_must_share_a_redis():
    with pytest.raises(BadValue, match="FLASHBACK_REDIS_URL"):
        Settings.from_env({}, cluster=True, ray_address="auto")
    shared = {"ray_address": "auto", "redis_url": "redis://a"}
    assert Settings.from_env({}, cluster=True, **shared).ray_address == "auto"


@pytest.mark.parametrize("path", ["/a/../b", "/..", "/a/./b", "/漢", "/a/", "a", "//a"])
def test_a_path_below_which_no_browser_or_header_would_find_us_is_refused(path):
    with pytest.raises(ValueError, match="root_path"):
        Settings(root_path=path)


def test_a_path_below_which_a_proxy_serves_us_may_have_several_parts():
    assert Settings(root_path="/tools/flash.back-2").root_path == "/tools/flash.back-2"
