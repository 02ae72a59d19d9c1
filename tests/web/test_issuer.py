"""Tokens of an issuer: what they must say, what they are worth, and how its keys are fetched."""

import base64
import hmac
import json
from ipaddress import ip_network

import pytest
import websockets
from cryptography.hazmat.primitives import serialization

from tests.web.conftest import echo_service
from tests.web.issuers import AUDIENCE, NAME, issuing, public, rsa_key
from web.access import keys
from web.access.issuer.fetch import MOST_BYTES, KeyFetcher
from web.access.issuer.issuer import Issuer
from web.access.issuer.keys import FRESH_SECONDS, KEPT_SECONDS, PAUSE_SECONDS, KeySet, read_keys
from web.access.issuer.terms import Terms
from web.errors import BadValue, Refusal, WebError
from web.services import Clocks
from web.settings import Settings

NOW = 1_700_000_000.0
LOOPBACK = (ip_network("127.0.0.0/8"),)
ROLES = "viewer=watch,ask; keeper=forget; boss=admin"
TERMS = Terms(
    issuer=NAME,
    audience=AUDIENCE,
    algorithms=("ES256", "RS256"),
    roles_claim="roles",
    roles=(("viewer", frozenset({"watch", "ask"})), ("keeper", frozenset({"forget"}))),
    streams_claim="cams",
)


class Time:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


def by(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def issuer():
    async with issuing() as issuer:
        yield issuer


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def doorman(issuer, time):
    fetcher = KeyFetcher(issuer.url, LOOPBACK)
    return Issuer(TERMS, KeySet(fetcher, time), time)


def trusting(issuer, clock, **settings):
    return echo_service(
        clocks=Clocks(wall=clock, monotonic=clock),
        jwt_issuer=NAME,
        jwt_audience=AUDIENCE,
        jwt_keys=issuer.url,
        jwt_roles=ROLES,
        jwt_streams_claim="cams",
        allowed_jwt_networks="127.0.0.1",
        **settings,
    )


async def test_roles_are_rights_and_a_claim_says_of_which_streams(issuer, time):
    async with trusting(issuer, time) as service, service.client() as client:
        for name in ("door-1", "yard"):
            await service.remember(name)
        token = issuer.token(NOW, cams=["door-*"])
        listed = (await client.get("/v1/streams", headers=by(token))).json()["streams"]
        assert [stream["name"] for stream in listed] == ["door-1"]
        assert (await client.get("/v1/streams/yard", headers=by(token))).status_code == 403
        refused = await client.delete("/v1/streams/door-1", headers=by(token))
        assert (refused.status_code, "`forget`" in refused.json()["detail"]) == (403, True)
        both = issuer.token(NOW, cams="door-1 yard", roles="viewer keeper")
        assert (await client.delete("/v1/streams/yard", headers=by(both))).status_code == 204
        boss = issuer.token(NOW, cams=["*"], roles=["boss"])
        assert (await client.get("/metrics", headers=by(boss))).status_code == 200
        assert (await client.get("/v1/streams")).status_code == 401
        assert issuer.asked == 1


async def test_who_has_no_role_that_is_known_may_do_nothing(issuer, doorman):
    for roles in (None, [], ["admin", "watch"], {"viewer": True}, 7):
        caller = await doorman.find(issuer.token(NOW, sub=str(roles), roles=roles, cams=["*"]))
        assert caller.may == frozenset()
    none = await doorman.find(issuer.token(NOW, sub="nowhere"))
    assert not none.allows("watch", "door")
    odd = await doorman.find(issuer.token(NOW, sub="odd", cams=["[a-z]", 7, "yard"]))
    assert odd.streams == ("yard",)


async def test_roles_may_stand_in_a_path_or_under_a_name_with_dots(issuer, time):
    keys = KeySet(KeyFetcher(issuer.url, LOOPBACK), time)
    for place, claims in (
        ("realm_access.roles", {"realm_access": {"roles": ["boss"]}}),
        ("https://cams.example/roles", {"https://cams.example/roles": ["boss"]}),
        ("scope", {"scope": "openid boss"}),
    ):
        roles = (("boss", frozenset({"admin"})),)
        terms = Terms(NAME, AUDIENCE, ("ES256",), place, roles)
        caller = await Issuer(terms, keys, time).find(issuer.token(NOW, **claims))
        assert (caller.may, caller.streams) == ({"admin"}, ("*",))


REFUSED = {
    "expired": {"exp": NOW},
    "not yet": {"nbf": NOW + 60},
    "other issuer": {"iss": "https://login.example/realms/other"},
    "other audience": {"aud": "another service"},
    "no audience": {"aud": None},
    "no issuer": {"iss": None},
    "no expiry": {"exp": None},
    "never expires": {"exp": 10**300},
    "expiry is no number": {"exp": "tomorrow"},
    "no subject": {"sub": None},
    "unknown key": {"kid": "two"},
}


@pytest.mark.parametrize("claims", REFUSED.values(), ids=REFUSED)
async def test_a_token_that_does_not_say_what_it_must_lets_nobody_in(issuer, doorman, claims):
    assert await doorman.find(issuer.token(NOW, **claims)) is None


async def test_an_algorithm_is_ours_to_choose_and_of_its_key(issuer, doorman):
    pem = issuer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    unsigned = issuer.plain(NOW, alg="HS256").rstrip(".")
    mac = base64.urlsafe_b64encode(hmac.digest(pem, unsigned.encode(), "sha256")).decode()
    forged = {
        "none": issuer.plain(NOW, alg="none"),
        "None": issuer.plain(NOW, alg="None"),
        "a public key as a secret": f"{unsigned}.{mac.rstrip('=')}",
        "one that is not allowed": issuer.token(NOW, key=rsa_key(), algorithm="PS256"),
        "another kind of key": issuer.token(NOW, key=rsa_key(), algorithm="RS256"),
        "critical extensions": issuer.plain(NOW, alg="ES256", crit=["b64"]),
        "no token": "a.b.c",
        "a long one": issuer.token(NOW, more="x" * 9000),
    }
    for why, token in forged.items():
        assert await doorman.find(token) is None, why
    good = issuer.token(NOW)
    head, claims, signature = good.split(".")
    assert await doorman.find(f"{head}.{claims}.{signature[::-1]}") is None
    assert await doorman.find(good) is not None


async def test_a_key_that_is_for_one_algorithm_signs_with_no_other(issuer, doorman):
    key = rsa_key()
    issuer.document = {"keys": [public("one", key, alg="PS256")]}
    assert await doorman.find(issuer.token(NOW, key=key, algorithm="RS256")) is None


def test_keys_that_may_not_sign_are_none():
    key = rsa_key()
    usable = public("good", key)
    left_out = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {**usable, "kid": "encrypts", "use": "enc"},
        {**usable, "kid": "signs", "key_ops": ["sign"]},
        {**usable, "kid": None},
        {"kty": "RSA", "kid": "broken", "n": "AQ", "e": "!"},
        public("small", rsa_key(1024)),
        "no key",
    ]
    assert list(read_keys(json.dumps({"keys": [*left_out, usable]}).encode())) == ["good"]
    for document in (b"", b"[]", b'{"keys": 1}', json.dumps({"keys": [usable] * 65}).encode()):
        with pytest.raises(WebError, match="at most 64"):
            read_keys(document)


async def test_a_new_key_is_fetched_once_it_is_named_and_not_for_everyone_who_names_one(
    issuer, doorman, time
):
    assert await doorman.find(issuer.token(NOW)) is not None
    newer = rsa_key()
    issuer.document["keys"].append(public("two", newer))
    token = issuer.token(NOW, key=newer, algorithm="RS256", kid="two")
    for stranger in range(5):
        assert await doorman.find(issuer.token(NOW, kid=f"guess {stranger}")) is None
    assert (await doorman.find(token), issuer.asked) == (None, 1)
    time.now += PAUSE_SECONDS
    assert await doorman.find(token) is not None
    assert issuer.asked == 2


async def test_while_the_issuer_is_away_its_last_keys_are_good_for_a_day(issuer, doorman, time):
    assert await doorman.find(issuer.token(NOW)) is not None
    issuer.status = "500 Oh"
    time.now += FRESH_SECONDS + 1
    assert await doorman.find(issuer.token(time.now)) is not None
    assert issuer.asked == 2
    time.now += KEPT_SECONDS
    with pytest.raises(Refusal, match="fetched at the moment"):
        await doorman.find(issuer.token(time.now))


async def test_a_ticket_may_do_what_its_own_token_may_and_no_other_of_that_person(
    issuer, doorman, time
):
    known = keys.Keys([], time, issuer=doorman)
    viewer = await known.find(issuer.token(NOW))
    ticket, _ = known.ticket(viewer)
    keeper = await known.find(issuer.token(NOW, roles=["viewer", "keeper"]))
    assert (keeper.name, "forget" in keeper.may) == (viewer.name, True)
    assert known.by_ticket(ticket).may == viewer.may == {"watch", "ask"}
    assert known.by_ticket(known.ticket(keeper)[0]).may == keeper.may


async def test_a_withdrawn_key_and_an_expiry_end_what_is_open(issuer, time, monkeypatch):
    monkeypatch.setattr(keys, "_FILE_SECONDS", 0.01)
    async with trusting(issuer, time) as service, service.client() as client:
        await service.remember()
        token = issuer.token(NOW, cams=["*"], exp=NOW + 60)
        ticket = (await client.post("/v1/realtime/client_secrets", headers=by(token))).json()
        picture = "/v1/streams/cam/thumbnails/0.0.jpg"
        spent = {"ticket": ticket["value"]}
        assert (await client.get(picture, params=spent)).status_code == 200
        async with service.talk(additional_headers=by(token)) as talk:
            time.now += 60
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await talk.hear("never")
            assert closed.value.rcvd.code == 1008
        assert (await client.get(picture, params=spent)).status_code == 401
        longer = issuer.token(time.now, cams=["*"], exp=time.now + 9000)
        async with service.talk(additional_headers=by(longer)) as talk:
            issuer.document = {"keys": [public("two", rsa_key())]}
            time.now += FRESH_SECONDS + 1
            refused = await client.get("/v1/streams", headers=by(longer))
            assert refused.status_code == 401
            with pytest.raises(websockets.ConnectionClosed):
                await talk.hear("never")


async def test_what_keeps_the_keys_away_is_said_and_nobody_comes_in(issuer, time):
    async with trusting(issuer, time) as service, service.client() as client:
        issuer.status = "503 Away"
        refused = await client.get("/v1/streams", headers=by(issuer.token(NOW)))
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert "issuer cannot be fetched" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "302 There", "headers": "Location: http://127.0.0.1/\r\n"}, "status 302"),
        ({"document": b"x" * (MOST_BYTES + 1)}, "longer than"),
    ],
)
async def test_keys_come_without_redirects_and_so_many_bytes_at_most(issuer, change, said):
    vars(issuer).update(change)
    with pytest.raises(WebError, match=said):
        await KeyFetcher(issuer.url, LOOPBACK)()
    assert issuer.asked == 1


async def test_keys_come_from_no_private_network_and_not_unencrypted_unless_it_is_allowed(issuer):
    with pytest.raises(WebError, match="private network"):
        await KeyFetcher(issuer.url)()
    elsewhere = KeyFetcher("http://login.example/keys", LOOPBACK, lambda *_: ["93.184.216.34"])
    with pytest.raises(WebError, match="https"):
        await elsewhere()
    led_inside = KeyFetcher("https://login.example/keys", (), lambda *_: ["169.254.169.254"])
    with pytest.raises(WebError, match="private network"):
        await led_inside()
    assert issuer.asked == 0


WHOLE = {"jwt_issuer": NAME, "jwt_audience": AUDIENCE, "jwt_roles": ROLES}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"jwt_audience": None}, "JWT_ISSUER needs FLASHBACK_JWT_AUDIENCE"),
        ({"jwt_roles": None}, "JWT_ISSUER needs FLASHBACK_JWT_ROLES"),
        ({"jwt_issuer": None}, "JWT_AUDIENCE needs FLASHBACK_JWT_ISSUER"),
        ({"jwt_roles": "viewer=look"}, "give ROLE=RIGHT"),
        ({"jwt_algorithms": "HS256"}, "choose from RS256"),
        ({"jwt_algorithms": "none"}, "choose from RS256"),
        ({"jwt_issuer": "login.example"}, "give https://HOST/PATH"),
        ({"jwt_keys": "https://ann:secret@login.example/"}, "without a user or password"),
        ({"jwt_keys": "https://ann:secret/keys"}, "give https://HOST/PATH"),
        ({"jwt_keys": "https://login.example:99999/keys"}, "give https://HOST/PATH"),
    ],
)
def test_terms_that_are_not_whole_stop_the_start(change, said):
    with pytest.raises(BadValue, match=said) as refused:
        Settings.from_env({}, **(WHOLE | change))
    assert "secret" not in str(refused.value)


def test_rights_of_roles_are_read_as_written():
    assert dict(Settings.from_env({}, **WHOLE).jwt_roles) == {
        "viewer": {"watch", "ask"}, "keeper": {"forget"}, "boss": {"admin"},
    }  # fmt: skip
