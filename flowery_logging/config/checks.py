"""What a setting may be.

Each check takes a `Setting` and returns its value as the package uses it; or it raises the one
error that names the value, its origin and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from flowery_logging.config.setting import ConfigError, Setting
from flowery_logging.late import late
from flowery_logging.levels import number_of_name
from flowery_logging.tracing.headers import TOKEN

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that no text of the configuration may have."""

_LEVEL_NAMES: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_SIZE = late(r"(\d{1,18})\s*([kmg]?)(?:i?b)?", re.IGNORECASE)
_DURATION = late(r"(\d+(?:\.\d+)?)\s*([smhd]?)", re.IGNORECASE)
_SHARE = late(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)")
_MOST_DIGITS: Final = 18
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_BYTES: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def text(setting: Setting) -> str:
    """Return a text of one line."""
    value = setting.value
    allowed = "a text of 1 to 256 characters without control characters"
    if not isinstance(value, str):
        raise setting.refuse("not a text", allowed)
    value = str.__str__(value)  # a member of an enumeration shows itself by another text
    if not value.strip():
        raise setting.refuse("empty", allowed)
    if CONTROL.search(value):
        raise setting.refuse("has control characters", allowed)
    if len(value) > 256:
        raise setting.refuse(f"has {len(value)} characters", allowed)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise setting.refuse("is not valid Unicode", allowed) from None
    return value


def optional_text(setting: Setting) -> str | None:
    """Return a text of one line, or None where none is given."""
    return None if setting.value is None else text(setting)


def level_or_off(setting: Setting) -> int | None:
    """Return the number of a level; None where none is given, and for "OFF"."""
    is_none = setting.value is None or _is_off(setting.value)
    return None if is_none else level(setting, ", or OFF")


def _is_off(value: object) -> bool:
    return isinstance(value, str) and value.strip().upper() == "OFF"


def level(setting: Setting, more: str = "") -> int:
    """Return the number of a level."""
    value = setting.value
    if isinstance(value, str):
        name = value.strip()
        value = _whole(name, number_of_name(name))
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1000:
        return value
    allowed = (
        f"{', '.join(_LEVEL_NAMES)}, a level made with logging.addLevelName, or its number{more}"
    )
    raise setting.refuse("unknown level", allowed)


def levels(setting: Setting) -> Mapping[str, int]:
    """Return the numbers of levels by the names of loggers."""
    value = setting.value
    allowed = 'logger names with levels: {"sqlalchemy": "WARNING"} or sqlalchemy=WARNING,a.b=INFO'
    if isinstance(value, str):
        pairs = _assignments(value)
        if any(not sign or not name.strip() for name, sign, _ in pairs):
            raise setting.refuse("not name=LEVEL", allowed)
        value = {name.strip(): given for name, _, given in pairs}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise setting.refuse("not a mapping", allowed)
    return {
        name: level(setting._replace(name=f"levels[{name!r}]", value=given))
        for name, given in value.items()
    }


def _whole(text: str, otherwise: object = None) -> Any:
    """Return a whole number of at most 18 digits; `otherwise` where it is none."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else otherwise


def _assignments(text: str) -> list[tuple[str, str, str]]:
    """Return the parts of `name=value,name=value`, each with what stands before and after `=`."""
    return [pair.partition("=") for pair in text.split(",") if pair.strip()]


def size(setting: Setting) -> int:
    """Return bytes."""
    value = setting.value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        value = int(match[1]) * _BYTES[match[2].lower()]
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise setting.refuse("not a size", "bytes as a positive integer, or 100kB, 64MB, 1GB")


def seconds(setting: Setting) -> float:
    """Return seconds; a bare number is one of seconds."""
    return _age(setting, "s")


def days(setting: Setting) -> float:
    """Return days; a bare number is one of days."""
    return _age(setting, "d") / _SECONDS["d"]


def _age(setting: Setting, unit: str) -> float:
    """Return seconds; `unit` is that of a bare number."""
    value, word = setting.value, {"s": "seconds", "d": "days"}[unit]
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        value, unit = float(match[1]), match[2].lower() or unit
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 10**9:
        return float(value) * _SECONDS[unit]
    raise setting.refuse("not an age", f"{word} as a positive number, or 30m, 12h, 7d")


def flood(setting: Setting) -> tuple[int, float] | None:
    """Return how many equal events are written in how many seconds; None: all."""
    value = setting.value
    allowed = (
        "how many equal events of a call site are written, in 10 s or another time: 100, 20/1m; OFF"
    )
    if value is None or _is_off(value):
        return None
    limit, window = (value, "10s") if isinstance(value, (int, str)) else _pair(value)
    if isinstance(limit, str):
        limit, sign, given = limit.partition("/")
        window = given.strip() if sign else window
        begins_with_unit = isinstance(window, str) and window[:1].isalpha()
        window = f"1{window}" if begins_with_unit else window
        limit = _whole(limit.strip())
    if type(limit) is not int or limit < 1:
        raise setting.refuse("not a number of events", allowed)
    try:
        return limit, seconds(setting._replace(value=window))
    except ConfigError:
        raise setting.refuse("not a time", allowed) from None


def sample(setting: Setting) -> tuple[float, float] | None:
    """Return the share of traces that are written, and from how many seconds on all are."""
    value = setting.value
    allowed = "a share of the traces, from 0 to 1 or in %, and what is slow: 0.1, 10%, 0.1/2s; OFF"
    if value is None or _is_off(value):
        return None
    share, slow = (value, "1s") if isinstance(value, (int, float, str)) else _pair(value)
    if isinstance(share, str):
        share, sign, given = share.partition("/")
        slow = given if sign else slow
        match = _SHARE.fullmatch(share.strip())
        share = share if match is None else float(match[1]) / (100 if match[2] else 1)
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise setting.refuse("not a share", allowed)
    try:
        slow_from = seconds(setting._replace(value=slow))
    except ConfigError:
        raise setting.refuse("not a time", allowed) from None
    return None if share == 1 else (float(share), slow_from)


def _pair(value: object) -> tuple[Any, Any]:
    """Return a sequence of two; what is none is refused as its first part is."""
    found = tuple(value) if isinstance(value, (tuple, list)) else ()
    return (found[0], found[1]) if len(found) == 2 else (None, None)


def names(setting: Setting) -> tuple[str, ...]:
    """Return names of keys, without the blanks around them."""
    value = setting.value.split(",") if isinstance(setting.value, str) else setting.value
    allowed = "names of keys, as a sequence or comma-separated"
    if not isinstance(value, Iterable) or isinstance(value, (bytes, Mapping)):
        raise setting.refuse("not a sequence", allowed)
    found = tuple(value)
    if not all(isinstance(item, str) and item.strip() for item in found):
        raise setting.refuse("not names", allowed)
    return tuple(item.strip() for item in found)


def baggage(setting: Setting) -> tuple[str, ...]:
    """Return the keys of W3C baggage that are bound."""
    found = names(setting)
    wrong = [key for key in found if not TOKEN.fullmatch(key)]
    if wrong:
        raise setting.refuse(f"{wrong[0]!r} is no key", "letters, digits and !#$%&'*+-.^_`|~")
    return found


def personal(setting: Setting) -> tuple[str, ...]:
    """Return kinds of personal data."""
    found = names(setting)
    if found:
        from flowery_logging.redaction.personal import KINDS

        allowed = f"any of {', '.join(KINDS)}, as a sequence or comma-separated"
        for kind in found:
            if kind not in KINDS:
                raise setting.refuse(f"unknown kind {kind!r}", allowed)
    return found


def pseudonym_key(environ: Mapping[str, str], known: object = None) -> Any:
    """Return the key that pseudonyms are made with: that of the environment, or the known one.

    No part of it is said in the error.
    """
    from flowery_logging.redaction import pseudonyms

    if known is not None and not environ.get(pseudonyms.KEY_VARIABLE):
        return known  # a program may take its secrets out of its environment
    try:
        return pseudonyms.keys(environ)[0]
    except pseudonyms.NoKeyError as error:
        raise ConfigError(
            f"pseudonyms: {error}; allowed: a secret text of at least {pseudonyms.LEAST_KEY} "
            "characters, as `openssl rand -hex 32` makes one"
        ) from None


def switch(setting: Setting) -> bool:
    """Return what is on or off."""
    value = setting.value
    if isinstance(value, str):
        value = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False,
                 "no": False, "off": False}.get(value.strip().lower())  # fmt: skip
    if isinstance(value, int) and value in {0, 1}:
        return bool(value)
    raise setting.refuse("neither yes nor no", "True or False (1, 0, true, false, yes, no)")


def processors(setting: Setting) -> tuple[Callable[..., Any], ...]:
    """Return callables that take an event each."""
    value = setting.value
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        found = tuple(value)
        if all(map(callable, found)):
            return found
    raise setting.refuse("not callables", "a sequence of callables event → event")


def fields(setting: Setting) -> Mapping[str, str]:
    """Return the team's own typed fields: a mapping, or the path of a JSON file that has one."""
    if not setting.value:
        return {}
    from flowery_logging.ecs.declared import check_declared, read_declared

    value = setting.value
    try:
        return check_declared(value if isinstance(value, Mapping) else read_declared(value))
    except ValueError as error:
        allowed = 'names with Elasticsearch types, {"flowery.order.id": "long"}, or a JSON file'
        raise setting.refuse(str(error), allowed) from None


def limits(setting: Setting) -> Mapping[str, int]:
    """Return the limits of one event that differ from the defaults."""
    if not setting.value:
        return {}
    from flowery_logging.ecs.limits import LEAST, MOST

    allowed = ", ".join(
        f"{name} {least} to {getattr(MOST, name)}" for name, least in LEAST._asdict().items()
    )
    value = setting.value
    if isinstance(value, str):
        value = {name.strip(): _whole(text.strip(), text) for name, _, text in _assignments(value)}
    if not isinstance(value, Mapping):
        raise setting.refuse("not a mapping", allowed)
    for name, number in value.items():
        least, most = getattr(LEAST, str(name), None), getattr(MOST, str(name), None)
        if least is None or most is None:
            raise setting.refuse(f"unknown limit {name!r}", allowed)
        if type(number) is not int or not least <= number <= most:
            raise setting.refuse(f"{name} cannot be {number!r}", allowed)
    return dict(value)
