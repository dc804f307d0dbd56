"""What the application has configured in structlog goes on, whenever it has configured it."""

import asyncio
import contextlib
import io
import logging
import pickle
import re
import subprocess
import sys
import warnings
import weakref

import ecs_logging
import pytest
import structlog
from structlog import processors, stdlib
from structlog.testing import CapturingLoggerFactory, capture_logs

import flowery_logging

LAST = {
    "none": (),
    "JSONRenderer": (processors.JSONRenderer(),),
    "KeyValueRenderer": (processors.KeyValueRenderer(),),
    "LogfmtRenderer": (processors.LogfmtRenderer(),),
    "ConsoleRenderer": (structlog.dev.ConsoleRenderer(),),
    "wrap_for_formatter": (stdlib.ProcessorFormatter.wrap_for_formatter,),
    "render_to_log_kwargs": (stdlib.render_to_log_kwargs,),
    "render_to_log_args_and_kwargs": (stdlib.render_to_log_args_and_kwargs,),
    "ecs_logging": (ecs_logging.StructlogFormatter(),),
    "a text of the user's": (lambda _, __, event_dict: f"{event_dict.pop('event')}!",),
    "bytes of the user's": (lambda _, __, event_dict: f"{event_dict.pop('event')}!".encode(),),
    "two of the user's": (lambda _, __, event_dict: str(event_dict), lambda _, __, line: line + "!"),
    "a tuple of the user's": (lambda _, __, event_dict: ((event_dict.pop("event"),), event_dict),),
    "another name of the text": (
        processors.EventRenamer("msg", replace_by="_event"), processors.JSONRenderer(),
    ),
}  # fmt: skip
FACTORIES = {
    "print": structlog.PrintLoggerFactory,
    "write": structlog.WriteLoggerFactory,
    "bytes": structlog.BytesLoggerFactory,
    "stdlib": stdlib.LoggerFactory,  # sets the class of loggers
}
CALLSITE = [processors.CallsiteParameter.FUNC_NAME, processors.CallsiteParameter.LINENO]
WRAPPERS = {
    "filtering": structlog.make_filtering_bound_logger(logging.DEBUG),
    "stdlib": stdlib.BoundLogger,
    "generic": structlog.BoundLogger,
}


def mask(_, __, event_dict):
    for name, value in event_dict.items():
        if isinstance(value, str):
            event_dict[name] = re.sub(r"\S+@\S+", "***", value)
    return event_dict


def drop(_, __, event_dict):
    if event_dict.get("path") == "/health":
        raise structlog.DropEvent
    return event_dict


def fields(event):
    return event.get("labels", {}) | event.get("numeric_labels", {})


@pytest.fixture(params=["before", "after"])
def configure(request, logged):
    """A function that configures structlog before `setup()`, or after it."""

    def configure(*own, **options):
        if request.param == "before":
            flowery_logging.shutdown()
        structlog.configure(processors=[mask, drop, *own], **options)
        if request.param == "before":
            logged.setup()

    return configure


@pytest.fixture(autouse=True)
def plain_logging():
    """Put back the class of loggers that a LoggerFactory sets."""
    yield
    logging.setLoggerClass(logging.Logger)


@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize("factory", FACTORIES)
def test_whatever_stands_at_the_end(logged, configure, capfd, last, factory):
    configure(*LAST[last], logger_factory=FACTORIES[factory]())
    for log in (structlog.get_logger("shop.orders"), flowery_logging.get_logger("shop.orders")):
        log.bind(mail="me@here.kr").warning("to you@there.kr", n=7, path="/")
        log.warning("x", path="/health")
    assert [event["message"] for event in logged.events()] == ["to ***", "to ***"]
    for event in logged.events():
        assert event["log.level"] == "warning"
        assert event["log"]["logger"] == "shop.orders"
        assert event["log"]["origin"]["function"] == "test_whatever_stands_at_the_end"
        assert fields(event) == {"mail": "***", "n": 7, "path": "/"}
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("factory", FACTORIES)
def test_whatever_wraps_it(logged, configure, wrapper, factory):
    configure(
        processors.JSONRenderer(),
        wrapper_class=WRAPPERS[wrapper],
        logger_factory=FACTORIES[factory](),
        cache_logger_on_first_use=True,
    )
    log = structlog.get_logger("shop.orders").new(a=1)
    log.error("x")
    log.bind(b=2).unbind("a").info("y")
    log.debug("z")
    found = [(event["log.level"], event["message"], fields(event)) for event in logged.events()]
    assert found == [("error", "x", {"a": 1}), ("info", "y", {"b": 2}), ("debug", "z", {"a": 1})]


def test_loggers_that_were_bound_or_cached_before(logged):
    flowery_logging.shutdown()
    structlog.configure(
        processors=[mask, processors.JSONRenderer()],
        logger_factory=stdlib.LoggerFactory(),
        wrapper_class=stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    cached = structlog.get_logger("shop.cached")
    cached.debug("before")
    bound = cached.bind(a=1)
    logged.setup()
    cached.info("x")
    bound.info("y@z.kr")
    assert [event["message"] for event in logged.events()] == ["x", "***"]


def test_what_a_line_says_anyway_becomes_no_label(logged, configure, counted):
    wanted = [
        p for p in processors.CallsiteParameter
        if p.value not in {"pathname", "process_name", "qual_name", "qual_module"}
    ]  # fmt: skip
    configure(
        structlog.contextvars.merge_contextvars,
        stdlib.add_log_level,
        stdlib.add_log_level_number,
        stdlib.add_logger_name,
        processors.TimeStamper(fmt="iso"),
        processors.MaybeTimeStamper(key="at"),
        processors.CallsiteParameterAdder(wanted),
        processors.StackInfoRenderer(),
        structlog.dev.set_exc_info,
        processors.format_exc_info,
        processors.UnicodeEncoder(),
        processors.UnicodeDecoder(),
        processors.UnicodeEncoder(),
        processors.JSONRenderer(),
        logger_factory=stdlib.LoggerFactory(),
    )
    structlog.get_logger("shop.orders").info("x", a="y")
    flowery_logging.get_logger("shop.orders").info("x", a="y")
    assert [fields(event) for event in logged.events()] == [{"a": "y"}, {"a": "y"}]
    assert counted("processor_errors") == 0


def test_what_another_processor_has_made_of_it_is_a_label(logged, configure):
    def short(_, __, event_dict):
        event_dict["level"] = event_dict["level"][0]
        event_dict["where"] = f"{event_dict['func_name']}:{event_dict['lineno']}"
        return event_dict

    configure(stdlib.add_log_level, processors.CallsiteParameterAdder(CALLSITE), short)
    structlog.get_logger().info("x", timestamp="theirs")
    code = test_what_another_processor_has_made_of_it_is_a_label.__code__
    found = fields(logged.event())
    assert (found["level"], found["timestamp"]) == ("i", "theirs")
    assert found["where"] == f"{code.co_name}:{code.co_firstlineno + 7}"


def test_a_caller_s_field_that_such_a_processor_would_overwrite(logged, configure):
    configure(processors.TimeStamper(fmt="iso"), processors.JSONRenderer())
    structlog.get_logger().info("x", timestamp="theirs")
    assert fields(logged.event()) == {"timestamp": "theirs"}


@pytest.mark.parametrize("formatter", [processors.format_exc_info, processors.dict_tracebacks])
def test_an_exception_keeps_its_type_message_and_stack(logged, configure, formatter):
    configure(formatter, processors.JSONRenderer())
    try:
        1 / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("x")
        flowery_logging.get_logger().exception("x")
    for event in logged.events():
        assert event["error"]["type"] == "ZeroDivisionError"
        assert event["error"]["message"] == "division by zero"
        assert "1 / 0" in event["error"]["stack_trace"]
        assert fields(event) == {}


def test_a_masked_exception_stays_masked(logged, configure):
    configure(processors.format_exc_info, mask, processors.JSONRenderer())
    structlog.get_logger().error("x", exc_info=ValueError("me@here.kr"))
    line = logged.lines()[-1].decode()
    assert logged.event()["error"]["type"] == "ValueError"
    assert "***" in logged.event()["error"]["stack_trace"]
    assert "me@here.kr" not in line


def test_stack_info(logged, configure):
    configure(processors.StackInfoRenderer(), processors.JSONRenderer())
    structlog.get_logger().info("x", stack_info=True)
    assert "test_stack_info" in logged.event()["error"]["stack_trace"].splitlines()[-2]


def test_structlog_s_contextvars_can_be_masked_and_removed(logged, configure):
    def without(_, __, event_dict):
        event_dict.pop("secret_note", None)
        return event_dict

    configure(
        structlog.contextvars.merge_contextvars, mask, without, processors.JSONRenderer(),
        logger_factory=FACTORIES["stdlib"](),
    )  # fmt: skip
    structlog.contextvars.bind_contextvars(mail="me@here.kr", secret_note="x", a=1)
    with flowery_logging.bound(a=2):
        structlog.get_logger().info("x")
        flowery_logging.get_logger().info("x")
    assert [fields(event) for event in logged.events()] == [{"mail": "***", "a": 2}] * 2


def test_a_processor_that_fails_is_counted_and_the_event_goes_on(logged, configure, counted):
    def fail(_, __, event_dict):
        raise KeyError("x")

    configure(fail, lambda *_: None, processors.JSONRenderer())
    structlog.get_logger().info("x@y.kr", a=1)
    assert (logged.event()["message"], fields(logged.event())) == ("***", {"a": 1})
    assert counted("processor_errors") == 2


def test_a_renderer_that_fails_costs_no_event(logged, configure, counted):
    def fail(_, __, event_dict):
        raise KeyError("x")

    configure(fail, logger_factory=CapturingLoggerFactory())
    structlog.get_logger().info("x", a=1)
    assert logged.event()["message"] == "x"


def test_positional_arguments(logged, configure):
    configure(wrapper_class=stdlib.BoundLogger, logger_factory=FACTORIES["stdlib"]())
    log = structlog.get_logger()
    log.info("%s and %s", 1, 2)
    log.info("%d", "x")
    first, second = logged.events()
    assert first["message"] == "1 and 2"
    assert (second["message"], fields(second)) == ("%d", {"message_args": ["x"]})


@pytest.mark.parametrize("factory", FACTORIES)
def test_levels(logged, configure, factory):
    configure(
        stdlib.filter_by_level if factory == "stdlib" else mask,
        wrapper_class=stdlib.BoundLogger,
        logger_factory=FACTORIES[factory](),
    )
    flowery_logging.set_level("WARNING")
    structlog.get_logger("shop").info("x")
    assert logged.events() == []
    structlog.get_logger("shop").warning("x")
    assert logged.event()["log.level"] == "warning"


@pytest.mark.parametrize("factory", FACTORIES)
def test_the_flight_recorder(logged, configure, factory):
    configure(processors.JSONRenderer(), logger_factory=FACTORIES[factory]())
    logged.setup(level="INFO", flight_recorder="DEBUG")
    with contextlib.suppress(ValueError), flowery_logging.continue_trace(None):
        structlog.get_logger("shop").debug("kept")
        raise ValueError
    structlog.get_logger("shop").debug("forgotten")
    assert [e["message"] for e in logged.events() if e["log.level"] == "debug"] == ["kept"]


def test_other_handlers_show_what_they_would_show_without_us(logged):
    shown = []
    for step in ("without us", "with us"):
        if step == "without us":
            flowery_logging.shutdown()
        else:
            logged.setup()
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(stdlib.ProcessorFormatter(processor=processors.LogfmtRenderer()))
        structlog.configure(
            processors=[mask, stdlib.add_log_level, stdlib.ProcessorFormatter.wrap_for_formatter],
            logger_factory=stdlib.LoggerFactory(),
            wrapper_class=stdlib.BoundLogger,
        )
        logger = logging.getLogger("shop.formatted")
        logger.setLevel("INFO")
        logger.addHandler(handler)
        structlog.get_logger("shop.formatted").info("x@y.kr", a=1)
        structlog.get_logger("shop.formatted").debug("no")
        logger.removeHandler(handler)
        logger.setLevel("NOTSET")
        shown.append(stream.getvalue())
    assert shown[0] == shown[1] != ""
    assert (logged.event()["message"], fields(logged.event())) == ("***", {"a": 1})


def test_a_filter_of_the_stdlib_logger_stands(logged, configure):
    configure(processors.JSONRenderer(), logger_factory=FACTORIES["stdlib"]())
    logger = logging.getLogger("shop.filtered")
    logger.addFilter(lambda record: "secret" not in record.getMessage())
    try:
        structlog.get_logger("shop.filtered").info("secret")
        structlog.get_logger("shop.filtered").info("open", a=1)
    finally:
        logger.filters.clear()
    assert (logged.event()["message"], fields(logged.event())) == ("open", {"a": 1})


def test_a_handler_that_raises_before_ours_costs_no_event(logged, configure):
    class Raising(logging.Handler):
        def emit(self, record):
            raise RuntimeError

    configure(processors.JSONRenderer(), logger_factory=FACTORIES["stdlib"]())
    logger, handler = logging.getLogger("shop.raising"), Raising()
    logger.addHandler(handler)
    try:
        with pytest.raises(RuntimeError):  # as without us
            structlog.get_logger("shop.raising").info("x", a=1)
    finally:
        logger.removeHandler(handler)
    assert (logged.event()["message"], fields(logged.event())) == ("x", {"a": 1})


def test_an_output_of_the_application_s_own_gets_its_events_too(logged, configure, tmp_path):
    """Such as one that keeps them for a test, or a file."""
    capturing = CapturingLoggerFactory()
    configure(processors.JSONRenderer(), logger_factory=capturing)
    structlog.get_logger().info("x", a=1)
    assert [call.args for call in capturing.logger.calls] == [('{"a": 1, "event": "x"}',)]
    with (tmp_path / "audit.log").open("w+") as file:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(file))
        structlog.get_logger().info("y", a=1)
        file.seek(0)
        assert file.read() == '{"a": 1, "event": "y"}\n'
    assert [(e["message"], fields(e)) for e in logged.events()] == [
        ("x", {"a": 1}),
        ("y", {"a": 1}),
    ]


def test_what_an_output_of_the_application_s_own_gets_goes_to_no_handler_of_logging(
    logged, configure
):
    """As Airflow's task log, which has a handler for what comes from `logging`."""
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    configure(processors.JSONRenderer(), logger_factory=CapturingLoggerFactory())
    logging.root.addHandler(handler)
    try:
        structlog.get_logger("shop.own").warning("theirs")
        flowery_logging.get_logger("shop.own").warning("ours")
    finally:
        logging.root.removeHandler(handler)
    assert shown.getvalue() == "ours\n"
    assert [event["message"] for event in logged.events()] == ["theirs", "ours"]


def test_wrap_logger_with_arguments_is_the_application_s_own(logged, configure, capsys):
    configure(processors.JSONRenderer())
    own = [processors.KeyValueRenderer()]
    structlog.wrap_logger(structlog.PrintLogger(), processors=own).info("x")
    structlog.wrap_logger(structlog.PrintLogger()).info("y")
    assert capsys.readouterr().out == 'event=\'x\'\n{"event": "y"}\n'
    assert logged.events() == []


@pytest.mark.parametrize("factory", FACTORIES)
def test_a_wrapper_class_that_logs_the_result_itself(logged, configure, capfd, factory):
    class Wrapper(structlog.BoundLoggerBase):
        def notice(self, event, **fields):
            args, named = self._process_event("info", event, fields)
            self._logger.info(*args, **named)

    last = {
        "bytes": processors.JSONRenderer(serializer=lambda *_, **__: b"x"),
        "stdlib": stdlib.render_to_log_kwargs,
    }.get(factory, processors.LogfmtRenderer())
    configure(last, wrapper_class=Wrapper, logger_factory=FACTORIES[factory]())
    structlog.get_logger("shop").notice("me@here.kr", a=1)
    assert (logged.event()["message"], fields(logged.event())) == ("***", {"a": 1})
    assert capfd.readouterr().out == {"stdlib": "", "bytes": "x\n"}.get(factory, "a=1 event=***\n")


class Wrapped(structlog.BoundLoggerBase):
    """As structlog's documentation has it, and as Airflow's: with methods of its own module."""

    def info(self, event, **fields):
        return self._proxy_to_logger("info", event, **fields)


@pytest.mark.parametrize("factory", FACTORIES)
def test_an_event_stands_where_a_method_of_the_users_wrapper_class_is_called(
    logged, configure, factory
):
    configure(wrapper_class=Wrapped, logger_factory=FACTORIES[factory]())
    module = {"__name__": "shop.orders", "log": structlog.get_logger()}
    exec(compile("def place():\n    log.info('placed')", "orders.py", "exec"), module)
    module["place"]()
    written = logged.event()["log"]
    assert written["origin"] == {"file": {"name": "orders.py", "line": 2}, "function": "place"}
    assert factory == "stdlib" or written["logger"] == "shop.orders"


@pytest.mark.parametrize("factory", FACTORIES)
def test_the_locals_of_the_method_that_logs_stay_its_own(logged, configure, factory):
    """What it deletes is gone at once, and what `locals()` has given it stays as it is."""

    class Client:
        def call(self, number):
            given, pooled = locals(), Pooled()
            del given["self"]
            back = weakref.ref(pooled)
            structlog.get_logger("shop").info("called")
            del pooled
            return given, back()

    configure(wrapper_class=Wrapped, logger_factory=FACTORIES[factory]())
    assert Client().call(7) == ({"number": 7}, None)
    assert logged.event()["log"]["origin"]["function"] == "call"


class Pooled:
    """Goes back to its pool when nobody has it any more."""


def test_the_asynchronous_bound_logger(logged, configure):
    configure(
        processors.JSONRenderer(),
        wrapper_class=stdlib.AsyncBoundLogger,
        logger_factory=FACTORIES["stdlib"](),
    )

    async def caller():
        await structlog.get_logger("shop").bind(a=1).info("me@here.kr")

    asyncio.run(caller())
    assert (logged.event()["message"], fields(logged.event())) == ("***", {"a": 1})


def test_what_is_not_kept_is_said_in_one_warning(logged, configure):
    configure(processors.JSONRenderer(), logger_factory=structlog.PrintLoggerFactory())
    for _ in range(3):
        structlog.get_logger().info("x")
    told = [e for e in logged.records() if e["log.level"] == "warning"]
    assert len(told) == 1
    assert "JSONRenderer" in told[0]["message"]
    assert "PrintLoggerFactory" in told[0]["message"]


def test_where_everything_is_kept_nothing_is_said(logged, configure):
    configure(processors.JSONRenderer(), logger_factory=FACTORIES["stdlib"]())
    structlog.get_logger().info("x")
    assert [e for e in logged.records() if e["log.level"] == "warning"] == []


def test_shutdown_leaves_the_application_s_configuration(logged, configure):
    own = [processors.JSONRenderer()]
    configure(*own, context_class=dict, cache_logger_on_first_use=True)
    configured = structlog.get_config()
    structlog.get_logger().info("x")
    flowery_logging.shutdown()
    assert structlog.is_configured()
    kept = structlog.get_config()
    assert kept["processors"] is configured["processors"]
    assert kept["cache_logger_on_first_use"]
    assert type(kept["logger_factory"]) is structlog.PrintLoggerFactory
    assert kept["wrapper_class"] is structlog.make_filtering_bound_logger(0)


def test_after_shutdown_structlog_prints_as_it_did(logged, configure, capsys):
    configure(processors.JSONRenderer())
    flowery_logging.shutdown()
    structlog.get_logger().info("x")
    assert capsys.readouterr().out == '{"event": "x"}\n'
    assert logged.events() == []


def test_reset_defaults_and_recreate_defaults(logged):
    structlog.reset_defaults()
    structlog.get_logger("shop.orders").info("x", a=1)
    structlog.get_logger("shop.orders").error("failed", exc_info=ValueError("x"))
    stdlib.recreate_defaults(log_level=None)
    stdlib.get_logger("shop.orders").info("%s", "y", a=1)
    found = [(event["message"], fields(event)) for event in logged.events()]
    assert found == [("x", {"a": 1}), ("failed", {}), ("y", {"a": 1})]
    assert [event["log"]["logger"] for event in logged.events()] == ["shop.orders"] * 3
    flowery_logging.shutdown()
    assert structlog.is_configured()


def test_configure_once_configures_once(logged):
    structlog.configure_once(processors=[mask, processors.JSONRenderer()])
    structlog.get_logger().info("x@y.kr")
    assert logged.event()["message"] == "***"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        structlog.configure_once(processors=[])
    assert [w.category for w in caught] == [RuntimeWarning]


def test_capture_logs(logged, configure):
    configure(processors.JSONRenderer())
    bound = structlog.get_logger().bind(b=2)
    with capture_logs() as captured:
        structlog.get_logger().info("x", a=1)
        bound.warning("y")
        flowery_logging.get_logger().error("z")
    assert captured == [
        {"event": "x", "a": 1, "log_level": "info"},
        {"event": "y", "b": 2, "log_level": "warning"},
        {"event": "z", "log_level": "error"},
    ]
    structlog.get_logger().info("again")
    assert logged.event()["message"] == "again"


def test_async_methods(logged, configure):
    configure(
        processors.CallsiteParameterAdder([processors.CallsiteParameter.FUNC_NAME]),
        lambda _, __, event_dict: {**event_dict, "where": event_dict["func_name"]},
        wrapper_class=stdlib.BoundLogger,
        logger_factory=FACTORIES["stdlib"](),
    )

    async def caller():
        await structlog.get_logger().ainfo("x")
        await flowery_logging.get_logger().ainfo("x")

    asyncio.run(caller())
    for event in logged.events():
        assert event["log"]["origin"]["function"] == "caller"
        assert fields(event) == {"where": "caller"}


def test_configured_before_any_import_of_ours(tmp_path):
    """As in a real program, with a logger made and used at import time."""
    program = f"""
import structlog
structlog.configure(processors=[structlog.processors.JSONRenderer()], cache_logger_on_first_use=True)
log = structlog.get_logger("shop")
log.info("before")
import flowery_logging
flowery_logging.setup("shop", directory={str(tmp_path)!r}, output="file")
log.info("in the file", a=1)
flowery_logging.shutdown()
log.info("after")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ['{"event": "before"}', '{"event": "after"}']
    (path,) = tmp_path.glob("*.ndjson")
    assert '"message":"in the file"' in path.read_text()


# Names of the methods' own parameters are fields as well.


@pytest.mark.parametrize("processed", [False, True])
def test_fields_named_as_parameters(logged, processed):
    if processed:
        structlog.configure(processors=[mask, processors.JSONRenderer()])
    log = flowery_logging.get_logger("shop")
    names = dict.fromkeys(("event", "self", "level", "args", "message", "method_name", "name"), "x")

    async def wait():
        await log.ainfo("y", **names)
        await log.alog(20, "y", **names)
        await log.aexception("y", **names)

    for method in (
        "debug",
        "info",
        "warning",
        "warn",
        "error",
        "critical",
        "fatal",
        "msg",
        "exception",
    ):
        getattr(log, method)("y", **names)
    log.log(20, "y", **names)
    log.bind(**names).info("y")
    asyncio.run(wait())
    assert len(logged.events()) == 14
    for event in logged.events():
        assert (event["message"], fields(event)) == ("y", names)


def test_the_text_by_its_name(logged):
    log = flowery_logging.get_logger("shop")
    log.info(event="x", a=1)
    log.exception(event="y")
    log.log(20, event="z")
    asyncio.run(log.ainfo(event="a"))
    assert [event["message"] for event in logged.events()] == ["x", "y", "z", "a"]


def test_below_the_level_any_field_is_ignored(logged):
    flowery_logging.set_level("ERROR")
    log = flowery_logging.get_logger("shop")
    log.info("y", event="x", self="x")
    log.info(event="x")
    asyncio.run(log.ainfo("y", event="x"))
    assert logged.events() == []


# What structlog.stdlib.BoundLogger documents, on our loggers.


def test_the_methods_of_a_stdlib_bound_logger(logged):
    structlog.configure(wrapper_class=stdlib.BoundLogger)
    log = structlog.get_logger("shop.orders")
    handler = logging.NullHandler()
    log.addHandler(handler)
    try:
        assert log.handlers == [handler]
        assert log.hasHandlers()
    finally:
        log.removeHandler(handler)
    flowery_logging.set_level("WARNING")
    assert log.name == "shop.orders"
    assert log.getEffectiveLevel() == logging.WARNING
    assert (log.isEnabledFor(20), log.isEnabledFor(30)) == (False, True)
    assert log.parent.name in {"root", "shop"}
    assert log.propagate
    assert not log.disabled
    log.info("below")
    log.warning("%s", "x", a=1)
    assert (logged.event()["message"], fields(logged.event())) == ("x", {"a": 1})


def test_both_spellings_of_the_levels(logged):
    flowery_logging.set_level("WARNING")
    log = flowery_logging.get_logger("shop")
    assert log.getEffectiveLevel() == log.get_effective_level() == 30
    assert log.isEnabledFor(30)
    assert not log.is_enabled_for(20)


def test_a_pickled_logger_is_one_of_ours_again(logged):
    log = pickle.loads(pickle.dumps(flowery_logging.get_logger("shop").bind(a=1)))
    with capture_logs() as captured:
        log.info("x")
    assert captured == [{"event": "x", "a": 1, "log_level": "info"}]
