"""The comparison finds each kind of loss and repeat: what it passes is not passed by mistake."""

from __future__ import annotations

from typing import Any

import pytest

from .chaos.comparison import compare

FIRST = "index-000001"
SECOND = "index-000002"

Hit = dict[str, Any]


def hit(number: int, call: int, *, index: str = FIRST, entity: str = "e", caller: str = "c") -> Hit:
    return {
        "_index": index,
        "_source": {
            "event": {"id": f"{entity}-{number}", "sequence": number},
            "process": {"entity_id": entity},
            "labels": {"caller": caller},
            "numeric_labels": {"call": float(call)},
        },
    }


def own(number: int, *, entity: str = "e", **labels: Any) -> Hit:
    """A record of the library's own."""
    made = hit(number, 0, entity=entity)
    made["_source"] |= {"labels": labels, "numeric_labels": {}}
    return made


def wrong(returned: dict[str, int], *hits: Hit) -> list[str]:
    return compare(returned, hits).wrong


def test_all_there() -> None:
    assert wrong({"c": 2}, own(1), hit(2, 1), hit(3, 2)) == []


def test_the_call_under_way_when_its_caller_was_killed_may_be_there_or_not() -> None:
    assert wrong({"c": 1}, own(1), hit(2, 1), hit(3, 2)) == []
    assert wrong({"c": 0}, own(1)) == []


def test_a_missing_call() -> None:
    assert wrong({"c": 3}, own(1), hit(2, 1), hit(3, 2)) == ["e: 1 calls are missing, 0 announced"]


def test_a_gap_in_the_numbers() -> None:
    assert wrong({"c": 1}, own(1), hit(3, 1)) == ["e: 1 numbers are missing, as [2]"]


def test_a_caller_of_whom_nothing_is_there() -> None:
    assert wrong({"c": 2}) == [
        "processes of which nothing arrived: 2 calls are missing, 0 announced"
    ]


def test_a_call_that_was_never_made() -> None:
    assert wrong({"c": 1}, own(1), hit(2, 1), hit(3, 3)) == ["c: call 3 was never made"]


def test_a_call_under_two_ids() -> None:
    assert wrong({"c": 1}, own(1), hit(2, 1), hit(3, 1)) == ["c: call 1 is there under 2 IDs"]


def test_a_repeat_in_one_index() -> None:
    assert wrong({"c": 1}, own(1), hit(2, 1), hit(2, 1)) == ["e-2 is there twice in one index"]


def test_a_repeat_over_a_rollover_is_counted() -> None:
    verdict = compare({"c": 1}, [own(1), hit(2, 1), hit(2, 1, index=SECOND)])
    assert (verdict.wrong, verdict.straddling) == ([], 1)


@pytest.mark.parametrize("ranges", ["3-4", "3-3,4-4"])
def test_dropped_events_are_excused_by_their_announcement(ranges: str) -> None:
    hits = [own(1), hit(2, 1), own(5, dropped_sequences=ranges)]
    verdict = compare({"c": 3}, hits)
    assert (verdict.wrong, verdict.dropped) == ([], 2)


def test_an_announcement_excuses_no_more_than_it_names() -> None:
    hits = [own(1), hit(2, 1), own(4, dropped_sequences="3-3")]
    assert wrong({"c": 3}, *hits) == ["e: 2 calls are missing, 1 announced"]


def test_an_announcement_excuses_no_other_process() -> None:
    hits = [own(1), own(2, dropped_sequences="3-4"), own(1, entity="f")]
    assert wrong({"c": 2}, *hits, hit(2, 1, entity="f")) == ["f: 1 calls are missing, 0 announced"]


def test_removed_files_excuse_what_was_not_shipped() -> None:
    removed = own(1, entity="f", removed_sequences=["e:1-3", "g:None-None"])
    verdict = compare({"c": 2}, [removed])
    assert (verdict.wrong, verdict.removed_unshipped, verdict.removed_files) == ([], 3, 2)
    shipped = compare({"c": 2}, [removed, own(1), hit(2, 1), hit(3, 2)])
    assert (shipped.wrong, shipped.removed_unshipped) == ([], 0)


def test_removed_files_excuse_nothing_before_what_was_shipped_of_them() -> None:
    removed = own(1, entity="f", removed_sequences=["e:1-3", "e:4-6"])
    hits = [removed, own(1), hit(3, 2), hit(4, 3)]
    assert wrong({"c": 5}, *hits) == [
        "e: 3 calls are missing, 2 announced",
        "e: 1 numbers are missing, as [2]",
    ]
