"""Which finders have something to look for in a text that is suspected to have a secret in it.

Each has a sign that no text is without in which it finds something. They are asked for here, in one
place: what is not called costs nothing.
"""

from __future__ import annotations

from typing import Final

from flowery_logging.redaction import commands, prose, said_codes, schemes, sql, tables

SCHEMES: Final = 1
PROSE: Final = 2
PAIRS: Final = 4
COMMANDS: Final = 8
SQL: Final = 16
TABLES: Final = 32


def of(text: str, lower: str) -> int:
    """Return the finders to be asked, as bits; `lower` is the text in lower case."""
    found = SCHEMES if _has_scheme(text, lower) else 0
    is_quoted = "'" in text or '"' in text
    if (
        not text.isascii()
        or " is" in lower
        or "licen" in lower
        or "masterauth" in lower
        or (
            ("pass" in lower or "pwd" in lower)
            and ("passport" in lower or prose.SAID.search(lower))
        )
        or "cred" in lower
        or prose.may_name_login(lower)
        or said_codes.has_six_digits(text)
    ):
        found |= PROSE
    if (
        (is_quoted and ("," in text or ":" in text or "name=" in text))
        or "<" in text
        or "value" in text
        or "On instance" in text
    ):
        found |= PAIRS
    if (
        commands.has_option(text)
        or commands.needs_no_option(text)
        or "onfig" in text
        or "ONFIG" in text
        or "AUTH" in text
        or "ENV " in text
        or "ARG " in text
        or "setenv " in text
        or "setx " in text
    ):
        found |= COMMANDS
    if (
        "identified" in lower
        or "values" in lower
        or "duplicate entry" in lower
        or "[parameters: " in text
        or "; args=" in text
        or (is_quoted and sql.has_password(lower))
        or sql.has_comparison(lower)
    ):
        found |= SQL
    if "\n" in text and (
        tables.may_have_rule(text) or (not text.isascii() and tables.BOX.search(text))
    ):
        found |= TABLES
    return found


def _has_scheme(text: str, lower: str) -> bool:
    """Tell whether the name of a scheme, or of a key that stands before it, may be in a text."""
    return (
        "token " in lower
        or "key " in lower
        or "secret " in lower
        or "sess" in lower
        or "auth" in lower
        or "basic" in lower
        or schemes.names_one(lower)
        or "GFzc3dvcmQ6" in text
        or schemes.may_be_signed(text)
    )
