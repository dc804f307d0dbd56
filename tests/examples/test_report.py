"""The demonstration's count must see a loss and a repetition, or it shows nothing."""

from examples.shop import report


def event(sequence, *, process="p", logger="shop", service="orders", **more):
    return {
        "@timestamp": f"2026-01-02T03:04:{sequence:02}.000000Z",
        "log.level": "info",
        "message": f"event {sequence}",
        "log": {"logger": logger},
        "service": {"name": service},
        "event": {"id": f"{process}-{sequence}", "sequence": sequence},
        "process": {"entity_id": process},
        **more,
    }


def header(process="p"):
    return event(1, process=process, logger="flowery_logging")


def counted(events, count):
    found = report.count("orders", events, count)
    return (found.written, found.missing, found.duplicated, found.right)


def test_all_there():
    assert counted([header(), event(2), event(3)], 2) == (2, 0, 0, True)


def test_several_processes_have_their_own_numbers():
    events = [header(), event(2), header("q"), event(2, process="q")]
    assert counted(events, 2) == (2, 0, 0, True)


def test_another_services_events_do_not_count():
    assert counted([header(), event(2), event(2, process="g", service="gateway")], 1)[3]


def test_a_gap_is_missing():
    assert counted([header(), event(2), event(4)], 3) == (2, 1, 0, False)


def test_a_lost_end_is_missing():
    assert counted([header(), event(2)], 3) == (1, 2, 0, False)


def test_a_gap_is_missing_even_if_the_service_counted_less():
    assert counted([header(), event(2), event(4)], 2)[1:] == (1, 0, False)


def test_the_same_id_twice_is_duplicated():
    assert counted([header(), event(2), event(2), event(3)], 2) == (2, 0, 1, False)


def test_an_event_that_nobody_logged_is_duplicated():
    assert counted([header(), event(2), event(3)], 1) == (2, 0, 1, False)


def test_a_trace_is_ordered_by_time_over_services():
    trace = {"trace": {"id": "t"}}
    events = [event(3, **trace), event(2, service="gateway", **trace), event(1)]
    assert [e["event"]["sequence"] for e in report.of_trace(events, "t")] == [2, 3]


def test_the_table_ends_an_exception_with_its_last_line():
    stack = "Traceback (most recent call last):\n  File …\nValueError: 꽃\n"
    rows = report.table([event(2, error={"stack_trace": stack})]).splitlines()
    assert rows[0] == "03:04:02.000000  orders   info     event 2"
    assert rows[1].strip() == "ValueError: 꽃"
