"""Any object as plain data: strings, numbers, booleans, None, lists and mappings.

What python-json-logger's encoders do well (dates, UUIDs, enums, exceptions, binary data) is left to
them; what they lack stands here. Nothing that a caller owns is changed, and numpy, pandas, pydantic
and Django are recognised without being imported.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Iterator, Mapping, Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import islice
from typing import Any, Final
from urllib.parse import ParseResult, SplitResult
from uuid import UUID

from flowery_logging.ecs.named import Model, is_row, with_inner_names, with_names
from flowery_logging.redaction import Redaction
from flowery_logging.signalled import let_through

AS_IS: Final = frozenset({str, int, float, bool, type(None)})
_PLAIN: Final = AS_IS | {dict, list}
MAX_SAFE_INTEGER: Final = 2**53
"""Integers beyond it lose digits in a double, which is what `numeric_labels` hold."""

MAX_ITEMS: Final = 10_000
"""How many items of a collection are looked at: one may never end."""

FREQUENT: Final[Mapping[type, Callable[[Any], Any]]] = {
    UUID: str,
    Decimal: str,
    datetime: datetime.isoformat,
    date: date.isoformat,
    tuple: list,
    set: list,
    frozenset: list,
}
"""What is made of frequent types."""

_URLS: Final = (SplitResult, ParseResult)
"""Tuples of a URL's parts, of which one has the password: more than a list of texts says."""

_TEXT_TYPES: Final = (Decimal, IPv4Address, IPv6Address, IPv4Network, IPv6Network)
_SCALARS: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, str.__str__), (int, int.__int__), (float, float.__float__),
)  # fmt: skip


@cache
def encoders() -> Any:
    """Return python-json-logger's encoders, imported at the first call.

    `setup()` makes it: when the first unusual value comes, an import may fail, as descriptors have
    run out or the interpreter ends.
    """
    from pythonjsonlogger import defaults

    return defaults


def plain(value: object, redaction: Redaction | None = None, path: str = "") -> Any:
    """Return one value as str, int, float, bool, None, a list or a Mapping, not looking inside.

    Never raises: what cannot be read becomes its `repr`, or a text that says so. The redaction is
    asked whether a tuple is to be read with its names; `path` is the dotted name of the value.
    """
    if type(value) in _PLAIN:
        return value
    try:
        return _known(value, redaction, path)
    except Exception as error:
        let_through(error)
        return represented(value)


def represented(value: object) -> str:
    """Return the `repr` of an object whose parts cannot be read. Never raises."""
    try:
        return str.__str__(repr(value))
    except Exception as error:
        let_through(error)
        return describe(value)


def _known(value: object, redaction: Redaction | None, path: str) -> Any:  # noqa: PLR0911 - one for each kind
    convert = FREQUENT.get(type(value))
    if convert is not None:
        return convert(value)
    module = str(type(value).__module__)
    if module.startswith("django.utils.functional"):
        return _lazy(value)
    if isinstance(value, Mapping):
        return _multi_dict(value)
    if isinstance(value, _TEXT_TYPES):
        return str(value)
    if isinstance(value, _URLS):
        return value.geturl()
    if isinstance(value, os.PathLike):
        return plain(os.fspath(value))
    if isinstance(value, (list, tuple, AbstractSet)):
        named = with_names(value, redaction, path) if isinstance(value, tuple) else None
        return list(islice(value, MAX_ITEMS)) if named is None else named
    if module.partition(".")[0] == "numpy":
        return _numpy(value)
    return _encoded(value, redaction, path)


def _lazy(value: object) -> Any:
    """Return what a lazy string or object of Django's stands for, if that can be had here."""
    try:
        return str.__str__(str(value))
    except Exception as error:  # e.g. a database query in an async context
        let_through(error)
        return str.__str__(repr(value))


def _multi_dict(value: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Django's QueryDict with all its values: its items() has the last one of each key only."""
    lists = getattr(value, "lists", None) if type(value) is not dict else None
    return (
        {key: items[0] if len(items) == 1 else items for key, items in lists()} if lists else value
    )


def _numpy(value: Any) -> Any:
    if getattr(value, "ndim", 0) == 0:
        return plain(value.item())
    flat = value.reshape(-1)[:MAX_ITEMS] if value.size > MAX_ITEMS else value
    return flat.tolist()


def _encoded(value: object, redaction: Redaction | None, path: str) -> Any:  # noqa: PLR0911 - one for each kind
    """Encode what python-json-logger knows, subclasses of scalars, models; else take `repr`."""
    defaults = encoders()
    if defaults.use_enum_default(value):
        return plain(defaults.enum_default(value), redaction, path)
    for kind, convert in _SCALARS:
        if isinstance(value, kind):
            return convert(value)
    if defaults.use_datetime_any(value):
        return defaults.datetime_any(value)
    if defaults.use_uuid_default(value):
        return defaults.uuid_default(value)
    if defaults.use_exception_default(value):
        return defaults.exception_default(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes(bytes(value))
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return _model(value, redaction, path)


def _bytes(value: bytes) -> str:
    """Text where the bytes are UTF-8, base 64 otherwise."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        text: str = encoders().bytes_default(value, url_safe=False)
        return text


def _model(value: object, redaction: Redaction | None, path: str) -> Any:
    if dataclasses.is_dataclass(value):
        # Not python-json-logger's encoder: it copies deeply, which fails at locks and files.
        names = [field.name for field in dataclasses.fields(value) if field.repr]
        return Model((name, getattr(value, name)) for name in names)
    if hasattr(type(value), "model_fields") and hasattr(value, "model_dump"):  # pydantic
        return Model(with_inner_names(value, _dumped(value), redaction, path))
    named = with_names(value, redaction, path) if is_row(value) else None
    return str.__str__(repr(value)) if named is None else named


def _dumped(value: Any) -> Any:
    """Return what pydantic makes of its model, and we of objects in it that pydantic refuses.

    A `model_dump` of the model's own is asked alone: it may leave out what is not to be shown.
    """
    if not type(value).model_dump.__module__.startswith("pydantic"):
        return value.model_dump(mode="json")
    try:
        return value.model_dump(mode="json", warnings=False)
    except Exception as error:  # e.g. an object that `arbitrary_types_allowed` has let in
        let_through(error)
        dump = value.__pydantic_serializer__.to_python
        return dump(value, mode="json", warnings=False, fallback=plain)


def entries(mapping: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Return the entries of a mapping, as far as it gives them without raising or ending."""
    try:
        if type(mapping) is dict:  # copied first: another thread may change it meanwhile
            yield from list(mapping.items())
        else:
            yield from islice(mapping.items(), MAX_ITEMS)
    except Exception as error:
        let_through(error)
        yield "unreadable", f"{type(mapping).__name__}: {type(error).__name__}"


def describe(value: object) -> str:
    """Return a text for an object that cannot be read. Never raises."""
    try:
        return f"<unprintable {type(value).__qualname__}>"
    except Exception as error:
        let_through(error)
        return "<unprintable>"


def key_text(key: object) -> str:
    """Return the key of a mapping as text. Never raises."""
    return key if type(key) is str else scalar_text(plain(key))


def scalar_text(value: object) -> str:
    """Return a plain value as text: `true`, `7`, `NaN`; others by `str`. Never raises."""
    if type(value) is str:
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is float and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    try:
        return str(value)
    except Exception as error:  # an integer with more digits than Python prints, a repr that raises
        let_through(error)
        return hex(value) if type(value) is int else describe(value)


def is_number(value: object) -> bool:
    """Tell whether a plain value fits a double without loss of an integer's digits."""
    if type(value) is int:
        return -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER
    return type(value) is float and math.isfinite(value)
