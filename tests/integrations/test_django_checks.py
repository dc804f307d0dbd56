"""What `manage.py check` says of settings that keep events or traces away."""

import logging
import subprocess

import pytest
from django.test import override_settings

import flowery_logging
from flowery_logging.integrations.django import RequestMiddleware
from flowery_logging.integrations.django_checks import check_logging
from tests.integrations import django_site
from tests.integrations.test_django import manage

OURS = "flowery_logging.integrations.django.RequestMiddleware"
OTHER = "django.middleware.common.CommonMiddleware"
RIGHT: dict[str, object] = {
    "MIDDLEWARE": [OURS, OTHER],
    "LOGGING_CONFIG": None,
    "FLOWERY_REQUESTS": {},
}
GIVEN = {"LOGGING_CONFIG": "logging.config.dictConfig"}


class Derived(RequestMiddleware):
    """A project's own."""


def found(**settings):
    django_site.configure(LOGGING_CONFIG=None)
    with override_settings(**{**RIGHT, **settings}):
        messages = check_logging(None)
    assert all(message.hint for message in messages)
    return messages


def ids(**settings):
    return [message.id for message in found(**settings)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"MIDDLEWARE": [f"{__name__}.Derived", OTHER]}, []),
        ({"MIDDLEWARE": [OTHER, OURS]}, ["flowery.W002"]),
        ({"MIDDLEWARE": [OTHER, f"{__name__}.Derived"]}, ["flowery.W002"]),
        ({"MIDDLEWARE": [OTHER]}, ["flowery.W004"]),
        ({"MIDDLEWARE": []}, ["flowery.W004"]),
        ({"MIDDLEWARE": ["no.such.Middleware"]}, ["flowery.W004"]),
        ({"MIDDLEWARE": [OURS, OTHER, OURS]}, ["flowery.W006"]),
        ({"FLOWERY_REQUESTS": {"qiet": ["/health"]}}, ["flowery.E001"]),
        ({"FLOWERY_REQUESTS": {"quiet": "/health"}}, ["flowery.E001"]),
        ({"FLOWERY_REQUESTS": ["quiet"]}, ["flowery.E001"]),
        ({"FLOWERY_REQUESTS": {"proxies": ["10.0.0.0/99"]}}, ["flowery.E001"]),
        ({**GIVEN, "LOGGING": {"version": 1}}, ["flowery.W003"]),
        ({**GIVEN, "LOGGING": {"version": 1, "disable_existing_loggers": False}}, []),
        ({**GIVEN, "LOGGING": {"version": 1, "incremental": True}}, []),
        ({**GIVEN, "LOGGING": {}}, []),
        ({"LOGGING": {"version": 1}}, []),
        (
            {"MIDDLEWARE": [], "FLOWERY_REQUESTS": {"qiet": 1}, **GIVEN, "LOGGING": {"version": 1}},
            ["flowery.E001", "flowery.W003", "flowery.W004"],
        ),
    ],
    ids=str,
)
@pytest.mark.usefixtures("logged")
def test_each_finding_has_an_id_and_a_hint(settings, expected):
    assert ids(**settings) == expected


@pytest.mark.usefixtures("logged")
def test_an_unknown_option_is_named_with_those_that_there_are():
    (message,) = found(FLOWERY_REQUESTS={"qiet": ["/health"]})
    assert "'qiet'" in message.msg
    assert "'quiet'" in message.msg
    assert "quiet" in message.hint


def test_without_setup_that_alone_is_said_of_logging():
    flowery_logging.shutdown()
    assert ids(MIDDLEWARE=[]) == ["flowery.W001"]


@pytest.mark.parametrize("name", ["flowery_logging", "flowery_logging.access", "django.request"])
@pytest.mark.usefixtures("logged")
def test_a_logger_that_lets_nothing_pass_is_named(name):
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel("CRITICAL")
    try:
        messages = found()
    finally:
        logger.setLevel(before)
    assert {message.id for message in messages} == {"flowery.W005"}
    assert any(repr(name) in message.msg for message in messages)
    assert ids() == []


@pytest.mark.usefixtures("logged")
def test_a_logger_that_was_disabled_is_named():
    logger = logging.getLogger("flowery_logging.access")
    logger.disabled = True
    try:
        (message,) = found()
        assert "is disabled" in message.msg
        assert ids(FLOWERY_REQUESTS={"access_log": False}) == []
    finally:
        logger.disabled = False


@pytest.mark.usefixtures("logged")
def test_logging_that_is_switched_off_is_told():
    logging.disable(logging.CRITICAL)
    try:
        assert ids() == ["flowery.W005"] * 3
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.slow
def test_the_command_says_it_and_fails_for_what_no_server_starts_with(tmp_path):
    command, options = manage(
        tmp_path, "check", MIDDLEWARE=[OTHER], FLOWERY_REQUESTS={"qiet": ["/health"]}
    )
    done = subprocess.run(command, **options, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "flowery.W004" in done.stderr
    assert "flowery.E001" in done.stderr
    assert "HINT: Options are request_id_header" in done.stderr


@pytest.mark.slow
def test_the_command_sees_what_LOGGING_sets(tmp_path):
    logging_settings = {
        "version": 1,
        "disable_existing_loggers": False,
        "loggers": {"flowery_logging.access": {"level": "ERROR"}},
    }
    command, options = manage(tmp_path, "check", LOGGING=logging_settings)
    done = subprocess.run(command, **options, capture_output=True, text=True, check=True)
    assert "flowery.W005" in done.stderr
    assert "'flowery_logging.access' lets nothing below ERROR pass" in done.stderr
