"""Which exceptions we have logged already, whoever is to see them next."""

from __future__ import annotations

from typing import Any, Final

_REPORTED: Final = "_flowery_logging_reported"  # the attribute of an exception


def note(error: BaseException) -> None:
    """Take note that an exception was logged; it is raised on."""
    try:
        setattr(error, _REPORTED, True)
    except Exception:
        pass  # an exception that takes no attributes: it is told twice


def take(error: Any) -> bool:
    """Tell, once, whether an exception was logged already."""
    if not getattr(error, _REPORTED, False):
        return False
    delattr(error, _REPORTED)
    return True
