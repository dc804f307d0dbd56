"""Sentences that stand where a secret would: what a form says of its field."""

from __future__ import annotations

from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.escapes import plain

_SENTENCE: Final = late(
    r"[A-Z][a-z']{1,20}(?=[^.!]*[ ](?:is|are|must|may|can|cannot|can't|should|does|do|did|has|have"
    r"|was|were|not|too|required|valid)[ .!])(?:,?[ ][\w'()-]{1,24}){2,32}[.!]?"
    r"(?:[ ][A-Z][a-z']{1,20}(?:,?[ ][\w'()-]{1,24}){1,32}[.!]?){0,3}"
    r"|(?:is|are|can't|cannot|must|may not|has|have|doesn't|does not|should|required)"
    r"(?:,?[ ][\w'()-]{1,24}){1,16}[.!]?"
    r"|(?=[^.!]*[가-힣][ ])[가-힣\w ,()·/'~-]{4,120}(?:다|요|오|것|세요)[.!]"
    r"(?:[ ][가-힣\w ,()·/'~-]{4,120}(?:다|요|오|것|세요)[.!]?){0,3}"
)
"""What a form says of its field: `This field may not be blank.`"""

_TELLING: Final = frozenset({
    "allowed", "common", "expected", "expired", "incorrect", "invalid", "least", "long", "longer",
    "match", "maximum", "max", "minimum", "min", "mismatch", "missing", "must", "not", "required",
    "short", "shorter", "similar", "unknown", "weak", "wrong",
})  # fmt: skip
_OF_FORMS: Final = _TELLING | frozenset({
    "a", "again", "an", "and", "any", "are", "at", "be", "between", "blank", "bytes", "can",
    "cannot", "chars", "character", "characters", "code", "confirmation", "contain", "contains",
    "data", "did", "didn't", "digit", "digits", "do", "does", "doesn't", "don't", "empty", "enter",
    "exactly", "extra", "field", "fields", "for", "format", "got", "has", "have", "in", "input",
    "is", "it", "key", "keys", "length", "letter", "letters", "list", "lowercase", "no", "none",
    "null", "number", "numbers", "of", "one", "only", "or", "password", "passwords", "pin",
    "please", "provide", "secret", "should", "size", "special", "str", "string", "symbol",
    "symbols", "than", "the", "this", "to", "token", "too", "try", "two", "type", "uppercase",
    "valid", "value", "values", "was", "with", "your",
})  # fmt: skip
"""What short messages of forms are made of, `Shorter than minimum length 8.`, and their words that
tell what is wrong."""

ALONE: Final = frozenset({"required", "invalid", "missing", "expired"})
"""Words that are such a message by themselves."""

_MARKS: Final = ".,:!()"
_LONGEST_NUMBER: Final = 3
"""Digits of a length that a message tells."""

_ERROR: Final = late(r"[a-z]+(?:_[a-z]+)*")
"""The name of an error, which stands beside a sentence."""

_LONGEST_SENTENCE: Final = 2_048

_QUOTED: Final = late(
    r"\\{0,15}(?:\"(?P<double>(?:[^\"\\]|\\{1,15}'){1,512})\\{0,15}\"|'(?P<single>(?:[^'\\]|(?<=[a-z])'(?=[a-z])){1,512})\\{0,15}')"
)


def is_sentence(value: str) -> bool:
    """Tell whether a value tells in a sentence what is wrong with another one."""
    if " " not in value or len(value) > _LONGEST_SENTENCE:
        return False
    value = plain(value).strip()
    return _is_message(value) or _SENTENCE.fullmatch(value) is not None


def _is_message(value: str) -> bool:
    """Tell whether all words of a value are those of forms, and one tells what is wrong."""
    said = [word.strip(_MARKS) for word in value.lower().replace("\u2019", "'").split(" ")]
    return not _TELLING.isdisjoint(said) and all(
        word in _OF_FORMS or (word.isdigit() and len(word) <= _LONGEST_NUMBER) for word in said
    )


def is_said(value: str) -> bool:
    """Tell whether a value is such a sentence, or a word that says the same."""
    return value.rstrip(_MARKS).lower() in ALONE or is_sentence(value)


def are_sentences(items: str) -> bool:
    """Tell whether all texts of a list are sentences, or the names of errors beside these."""
    items = plain(items) if len(items) <= _LONGEST_SENTENCE else ""
    found = [match["double"] or match["single"] for match in _QUOTED.finditer(items)]
    are_beside = any(map(is_sentence, found))
    return bool(found) and all(
        is_said(item) or (are_beside and _ERROR.fullmatch(item)) for item in found
    )
