"""What one warmed-up event may do at most, counted by `bench.counts`, on every Python we support.

A clock on a shared machine hides a slower event; a count does not. Where an event does less than
before, lower its bounds to what `python -m bench.counts` prints (`--calls` names each call).
"""

import pytest

from bench.counts import Counts, counts, zoo_counts

STDLIB = "flowery_logging, stdlib"
GET_LOGGER = "flowery_logging, get_logger"

# Little more than what it does now; that is the same on Python 3.10 to 3.13.
BOUNDS = {
    STDLIB: {"python": 17, "c": 34, "clocks": 2, "locks": 1},
    GET_LOGGER: {"python": 12, "c": 31, "clocks": 2, "locks": 1},
}
# By shape of the zoo: Python functions and functions in C of an event through `get_logger`. Where it
# takes the careful way it does ten times as much.
ZOO = {
    "no fields": (11, 23), "order number as text": (11, 28), "two UUIDs": (11, 33),
    "URL in a field": (11, 28), "epoch milliseconds": (12, 25), "SQL with a date": (11, 29),
    "client IP and user agent": (11, 28), "nested dict": (12, 39), "dict in a dict": (13, 45),
    "list of texts": (13, 31), "list of dicts": (28, 43), "UUID object": (12, 29),
    "datetime": (11, 26), "ECS names (an access event)": (13, 58), "password key": (13, 32),
}  # fmt: skip
# The same for events with a secret, which is found and hidden.
SECRETS = {
    "card number in the message": (29, 50), "card number as integer": (53, 58),
    "resident number": (36, 64), "JSON web token": (31, 53), "Bearer": (27, 46),
    "password in a URL": (31, 58), "token in a query": (31, 57),
}  # fmt: skip
KEPT = 10
"""Memory blocks that a thousand events may leave: less than one in a hundred events."""


@pytest.fixture(scope="module")
def counted():
    """The counts of a contender; each is counted once."""
    found: dict[str, Counts] = {}

    def of(name):
        if name not in found:
            found[name] = counts(name)
        return found[name]

    return of


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("what", ["python", "c", "clocks", "locks"])
def test_an_event_does_no_more_than(counted, name, what):
    found = counted(name)
    assert getattr(found, what) <= BOUNDS[name][what], found.called


@pytest.fixture(scope="module")
def zoo():
    return zoo_counts()


@pytest.mark.parametrize("shape", [*ZOO, *SECRETS])
def test_an_event_of_any_kind_does_no_more_than(zoo, shape):
    found, (python, c) = zoo[shape], {**ZOO, **SECRETS}[shape]
    assert (found["python"] <= python, found["c"] <= c) == (True, True), found
    assert found["writes"] == 1


@pytest.mark.parametrize("name", BOUNDS)
def test_an_event_is_one_write(counted, name):
    assert counted(name).writes == 1, counted(name).called


@pytest.mark.parametrize("name", BOUNDS)
def test_events_leave_nothing_in_memory(counted, name):
    assert counted(name).kept <= KEPT


def test_a_filtered_event_of_logging_does_not_reach_us(counted):
    found = counted(f"{STDLIB}, debug")
    assert set(found.called) == {"__init__.py:debug", "__init__.py:isEnabledFor"}  # logging's
    assert (found.clocks, found.writes, found.locks) == (0, 0, 0)


def test_a_filtered_event_of_get_logger_is_one_empty_function(counted):
    found = counted(f"{GET_LOGGER}, debug")
    assert (found.python, found.c) == (1, 0), found.called
    assert (found.clocks, found.writes, found.locks) == (0, 0, 0)
