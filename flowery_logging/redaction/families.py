"""Which finders have something to look for in a text that is suspected to have a secret in it.

Each has a sign that no text is without in which it finds something. They are asked for here, in one
place: what is not called costs nothing.
"""

from __future__ import annotations

from typing import Final

from flowery_logging.redaction.late import late

SCHEMES: Final = 1
PROSE: Final = 2
PAIRS: Final = 4
COMMANDS: Final = 8
SQL: Final = 16
TABLES: Final = 32

_SAID: Final = late("p(?:ass(?:word|wd|phrase|code)?|wd)(?:[ (]|->|→)")
_SIX_DIGITS: Final = late("[0-9](?<=[ :=].)[0-9]{5}")


def of(text: str, lower: str) -> int:
    """Return the finders to be asked, as bits; `lower` is the text in lower case."""
    found = SCHEMES if has_scheme(text, lower) else 0
    is_quoted = "'" in text or '"' in text
    if (
        not text.isascii()
        or " is" in lower
        or "licen" in lower
        or (("pass" in lower or "pwd" in lower) and ("passport" in lower or _SAID().search(lower)))
        or _SIX_DIGITS().search(text)
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
        "-" in text
        or "pass:" in text
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
        or (is_quoted and has_sql_password(lower))
    ):
        found |= SQL
    if "|" in text and "\n" in text:
        found |= TABLES
    return found


def has_sql_password(lower: str) -> bool:
    """Tell whether the literal behind `PASSWORD` may be in a statement in lower case."""
    return "password" in lower and (
        "password '" in lower or "password(" in lower or "password for" in lower
    )


def has_scheme(text: str, lower: str) -> bool:
    """Tell whether the name of a scheme, or of a key that stands before it, may be in a text."""
    return (
        "token " in lower
        or "key " in lower
        or "secret " in lower
        or "auth" in lower
        or "basic" in lower
        or "bearer" in lower
        or "kakaoak" in lower
        or "portone" in lower
        or "ssws" in lower
        or "apikey" in lower
        or "googlelogin" in lower
        or "negotiate" in lower
        or "ntlm" in lower
        or "sharedaccesssignature" in lower
        or "GFzc3dvcmQ6" in text
        or (
            "=" in text
            and (
                "Digest " in text
                or "AWS" in text
                or "Hawk " in text
                or "Signature " in text
                or "HMAC " in text
            )
        )
    )
