"""What programs write by themselves: errors of forms, tables, statements, commands.

All secrets are invented.
"""

from __future__ import annotations

from typing import Final

SECRETS: Final[dict[str, list[tuple[str, str]]]] = {
    "errors of forms": [
        ("{'password': 'correct horse battery'}", "horse"),
        ("{'password': 'new password'}", "new password"),
        ("{'password': 'wrong Tulip9'}", "Tulip9"),
        ("{'password': ['required', 'hunter22']}", "hunter22"),
    ],
}

_MESSAGES: Final = (
    "The two password fields didn\u2019t match.",  # Django
    "Shorter than minimum length 8.",  # marshmallow
    "Unknown field.",
    "min length is 8",  # Cerberus
    "empty values not allowed",
    "unknown field",
    "expected str",  # voluptuous
    "extra keys not allowed",
    "Field required",  # pydantic
    "Required",  # Zod
    "Too short",
    "Incorrect password.",
    "Invalid input.",
    "Must be at least 8 characters",
)

LOOK_ALIKES: Final[dict[str, list[str]]] = {
    "errors of forms": [
        text
        for message in _MESSAGES
        for text in (
            repr({"password": [message]}),
            f'{{"errors": {{"password": "{message}"}}}}',
            f'{{"password": ["{message}"]}}',
            f"password: {message}",
        )
    ],
}
