"""Wrong logins are slowed by name and address; right ones are not, and memory is bounded."""

import pytest

from app.auth.logins import FORGET_S, LONGEST_WAIT_S, MOST_KEYS, Guesses
from app.errors import QuotaExceeded


class Clock:
    """A clock that moves when it is told to (seconds)."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guesses(clock: Clock) -> Guesses:
    return Guesses(clock)


def has_to_wait(guesses: Guesses, username: str, address: str) -> bool:
    try:
        guesses.check(username, address)
    except QuotaExceeded:
        return True
    return False


def guess_wrong(guesses: Guesses, username: str, address: str, times: int) -> None:
    for _ in range(times):
        guesses.wrong(username, address)


def test_a_few_wrong_logins_cost_nothing(guesses: Guesses) -> None:
    guess_wrong(guesses, "maria", "10.0.0.1", 4)
    assert not has_to_wait(guesses, "maria", "10.0.0.1")


def test_the_wait_doubles_up_to_a_minute(guesses: Guesses, clock: Clock) -> None:
    guess_wrong(guesses, "maria", "10.0.0.1", 5)
    for wait_s in (1, 2, 4, 8, 16, 32, LONGEST_WAIT_S, LONGEST_WAIT_S):
        clock.now_s += wait_s - 0.5
        assert has_to_wait(guesses, "maria", "10.0.0.1")
        clock.now_s += 0.6
        assert not has_to_wait(guesses, "maria", "10.0.0.1")
        guesses.wrong("maria", "10.0.0.1")


def test_whoever_has_to_wait_is_told_how_long(guesses: Guesses) -> None:
    guess_wrong(guesses, "maria", "10.0.0.1", 8)
    with pytest.raises(QuotaExceeded, match="in 8 seconds") as refused:
        guesses.check("maria", "10.0.0.1")
    assert refused.value.name == "TooManyLogins"


def test_the_same_name_from_elsewhere_and_another_name_need_not_wait(guesses: Guesses) -> None:
    guess_wrong(guesses, "maria", "10.0.0.1", 6)
    assert not has_to_wait(guesses, "maria", "10.0.0.2")
    assert not has_to_wait(guesses, "paul", "10.0.0.1")


def test_an_address_that_tries_many_names_has_to_wait(guesses: Guesses) -> None:
    for number in range(50):
        guesses.wrong(f"user{number}", "10.0.0.1")
    assert has_to_wait(guesses, "paul", "10.0.0.1")
    assert not has_to_wait(guesses, "paul", "10.0.0.2")


def test_a_name_that_is_tried_from_many_addresses_has_to_wait(guesses: Guesses) -> None:
    for number in range(100):
        guesses.wrong("maria", f"10.0.1.{number}")
    assert has_to_wait(guesses, "maria", "10.0.0.2")
    assert not has_to_wait(guesses, "paul", "10.0.0.2")


def test_a_right_login_clears_the_name_and_not_the_address(guesses: Guesses, clock: Clock) -> None:
    guess_wrong(guesses, "maria", "10.0.0.1", 50)
    clock.now_s += LONGEST_WAIT_S + 1
    guesses.right("maria", "10.0.0.1")
    guesses.wrong("maria", "10.0.0.1")
    assert has_to_wait(guesses, "maria", "10.0.0.1")
    assert not has_to_wait(guesses, "maria", "10.0.0.2")


def test_wrong_logins_are_forgotten(guesses: Guesses, clock: Clock) -> None:
    guess_wrong(guesses, "maria", "10.0.0.1", 20)
    clock.now_s += FORGET_S + 1
    guesses.wrong("maria", "10.0.0.1")
    assert not has_to_wait(guesses, "maria", "10.0.0.1")


def test_memory_is_bounded(guesses: Guesses) -> None:
    for number in range(MOST_KEYS):
        guesses.wrong(f"user{number}", f"address {number}")
    assert len(guesses) == MOST_KEYS
