"""Which exceptions we have logged already, whoever is to see them next."""

from __future__ import annotations

from typing import Final

from flowery_logging.signalled import sheltered

_REPORTED: Final = "_flowery_logging_reported"  # the attribute of an exception


def note(error: BaseException) -> None:
    """Take note that an exception was logged; it is raised on."""
    with sheltered:  # an exception that takes no attributes: it is told twice
        setattr(error, _REPORTED, True)


def is_noted(error: BaseException) -> bool:
    """Tell whether an exception was logged already; it stays noted."""
    return hasattr(error, _REPORTED)


def take(error: object) -> bool:
    """Tell, once, whether an exception was logged already."""
    try:
        return bool(vars(error).pop(_REPORTED, False))
    except TypeError:
        return False  # None, or what has no attributes
