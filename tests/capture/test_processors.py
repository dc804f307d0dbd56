"""`setup(processors=…)`: each sees the event and may change or drop it; none can harm."""

import logging

import flowery_logging

log = logging.getLogger("shop.orders")


def test_a_processor_changes_an_event(logged):
    def shout(event):
        return {**event, "message": event["message"].upper(), "seen": sorted(event)}

    logged.setup(processors=[shout])
    with flowery_logging.bound(order_id=7):
        log.info("x", extra={"a": 1})
        flowery_logging.get_logger().info("y")
    first, second = logged.events()
    assert first["message"] == "X"
    assert first["labels"] == {"seen": ["a", "message", "order_id"]}
    assert first["numeric_labels"] == {"a": 1, "order_id": 7}
    assert second["message"] == "Y"


def test_a_processor_drops_an_event(logged, counted):
    logged.setup(processors=[lambda event: None if "health" in event["message"] else event])
    log.info("GET /health")
    log.info("GET /")
    assert logged.event()["message"] == "GET /"
    assert counted("dropped_by_processors") == 1


def test_a_processor_that_fails_is_left_out_and_counted(logged, counted):
    def fail(event):
        event["a"] = "spoilt"
        raise RuntimeError

    logged.setup(processors=[fail, lambda _: 5, lambda event: {**event, "b": 2}])
    log.info("x", extra={"a": 1}, exc_info=ValueError("y"))
    event = logged.event()
    assert event["numeric_labels"] == {"a": 1, "b": 2}
    assert event["error"]["message"] == "y"
    assert counted("processor_errors") == 2


def test_a_field_named_message_survives_the_processors(logged):
    logged.setup(processors=[lambda event: event])
    log.info("x", extra={"message": "theirs"})
    event = logged.event()
    assert event["message"] == "x"
    assert event["labels"] == {"message": "theirs"}
