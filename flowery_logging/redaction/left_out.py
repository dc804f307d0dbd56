"""What is left out of a text that is too long, and how the text tells it."""

from __future__ import annotations

from typing import Final

from flowery_logging.late import late

HEAD_SHARE: Final = 0.35
"""What a text keeps of its head; the tail of a stack trace says more."""

# A caller's text may look so, with a number of any length: Python reads none of 5 000 digits.
_NOTE: Final = late(r"\n… \[([0-9]{1,15}) characters left out\] …\n")


def note(count: int) -> str:
    """Return what stands in a text in place of so many characters."""
    return f"\n… [{count} characters left out] …\n"


def shorten(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters: head, tail, and a line of how much is left out.

    `limit` is 64 or more, so that the line has room.
    """
    if len(text) <= limit:
        return text
    room = limit - len(note(_whole(text)))
    head = int(room * HEAD_SHARE)
    tail = len(text) - (room - head)
    return f"{text[:head]}{note(_whole(text[head:tail]))}{text[tail:]}"


def cut(text: str, limit: int) -> str:
    """Return the head of a text, with a note of how much is left out: at most `limit` characters.

    `limit` is 64 or more.
    """
    if len(text) <= limit:
        return text
    kept = limit - len(f"… [{_whole(text)} characters left out]")
    return f"{text[:kept]}… [{_whole(text[kept:])} characters left out]"


def _whole(text: str) -> int:
    """Return how many characters a text had before some of them were left out."""
    found = _NOTE.search(text)
    return len(text) if found is None else len(text) - len(found[0]) + int(found[1])
