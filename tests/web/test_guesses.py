import pytest

from tests.web.conftest import echo_service
from web.access.guesses import ADDRESSES, GUESSES, PAUSE_SECONDS, Guesses
from web.services import CLOCKS, Clocks


class Now:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def guesses(now):
    return Guesses(now)


def guess(guesses, address, times):
    for number in range(times):
        guesses.wrong(address, b"%d" % number)


def test_an_address_that_has_shown_too_many_wrong_tokens_waits(guesses, now):
    guess(guesses, "192.0.2.1", GUESSES - 1)
    assert guesses.pause("192.0.2.1", None) == 0
    now.time = 20.0
    guesses.wrong("192.0.2.1", b"one more")
    assert guesses.pause("192.0.2.1", "ann") == guesses.pause("192.0.2.1", None) == 40.0
    assert guesses.pause("192.0.2.2", None) == 0
    now.time = PAUSE_SECONDS
    assert guesses.pause("192.0.2.1", None) == 0
    guesses.wrong("192.0.2.1", b"again")
    assert guesses.pause("192.0.2.1", None) == 0


def test_the_same_wrong_token_again_and_again_counts_once(guesses):
    for _ in range(1000):
        guesses.wrong("192.0.2.1", b"of last week")
    assert guesses.pause("192.0.2.1", None) == 0


def test_who_was_let_in_from_there_before_does_not_wait_for_others_guesses(guesses):
    guesses.right("192.0.2.1", "ann")
    guess(guesses, "192.0.2.1", GUESSES)
    assert guesses.pause("192.0.2.1", "ann") == 0
    assert guesses.pause("192.0.2.1", "ben") > 0


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:0:0:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "", True),
    ],
)
def test_all_addresses_of_one_customer_count_together(guesses, first, second, same):
    guess(guesses, first, GUESSES)
    assert (guesses.pause(second, None) > 0) == same


def test_no_more_addresses_are_known_than_there_is_room_for(guesses):
    guess(guesses, "first", GUESSES)
    for number in range(ADDRESSES):
        guesses.wrong(str(number), b"x")
    assert guesses.pause("first", None) == 0


async def test_guessing_is_answered_with_429_until_the_time_is_over(now):
    clocks = Clocks(wall=CLOCKS.wall, monotonic=now)
    async with echo_service(clocks, token="first,second") as service, service.client() as client:

        async def answer(token):
            return await client.get("/v1/streams", headers={"Authorization": f"Bearer {token}"})

        assert (await answer("first")).status_code == 200
        wrong = [(await answer(f"guess {number}")).status_code for number in range(GUESSES)]
        assert wrong == [401] * GUESSES
        refused = await answer("second")
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "60"
        assert "wrong tokens" in refused.json()["detail"]
        assert (await answer("first")).status_code == 200
        assert (await client.get("/health")).json()["rejected"] == GUESSES + 1
        now.time = PAUSE_SECONDS
        assert (await answer("second")).status_code == 200
