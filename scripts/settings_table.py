"""The tables of the settings, in both languages: facts from the code, words from settings.yml.

Variables and defaults are those of flowery_logging/config/table.py. What is allowed is what the
error of a wrong value says.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

import flowery_logging
from flowery_logging import config
from flowery_logging.config import place
from flowery_logging.config.setting import ConfigError
from flowery_logging.config.table import SETTINGS
from flowery_logging.config.variables import ATTRIBUTE, KEYS
from flowery_logging.ecs.limits import Limits
from scripts.marks import table

WORDS: Final = Path(__file__).with_name("settings.yml")
HEADS: Final = {
    "en": ["setting", "what, and what is allowed", "default", "example"],
    "ko": ["설정", "뜻과 허용되는 값", "기본값", "예"],
}
SHORT_HEADS: Final = {
    "en": ["argument", "environment", "default", "what"],
    "ko": ["인자", "환경 변수", "기본값", "뜻"],
}
_ALLOWED: Final = {"en": "Allowed: {}.", "ko": "허용: {}."}
_NONE: Final = {"en": "none", "ko": "없음"}
_UNITS: Final = {"max_bytes": "MB", "keep_bytes": "GB", "max_age": "d"}
_SIZES: Final = {"MB": 1024**2, "GB": 1024**3, "d": 86_400}
_KEY: Final = "a key of sixteen characters or more"


class WordsError(ValueError):
    """settings.yml does not fit the code; says what is missing or too much."""


class Words:
    """What settings.yml says. Raises WordsError where the code has other settings."""

    def __init__(self, path: Path = WORDS) -> None:
        found = yaml.safe_load(path.read_text("utf-8"))
        self.groups: dict[str, dict[str, str]] = found["groups"]
        self.settings: dict[str, dict[str, Any]] = found["settings"]
        self.allowed: dict[str, str] = found["allowed"]
        arguments = set(inspect.signature(flowery_logging.setup).parameters)
        known = arguments | SETTINGS.keys() | set(KEYS)
        if strange := known ^ self.settings.keys():
            raise WordsError(f"{path.name} and setup() differ by {sorted(strange)}")

    def korean(self, text: str) -> str:
        """Return what an error says is allowed in Korean. Raises WordsError."""
        if re.fullmatch(r"(\w+ \d+ to \d+(, )?)+", text):
            return re.sub(r"(\d+) to (\d+)", "\\1\u2013\\2", text)
        if text not in self.allowed:
            raise WordsError(f"{WORDS.name} has no Korean for {text!r}")
        return self.allowed[text]

    def unused(self, said: set[str]) -> set[str]:
        """Return the texts of which no error says them any more."""
        return self.allowed.keys() - said


def pieces() -> dict[str, str]:
    """Return the tables, by the name of their mark. Raises WordsError."""
    words = Words()
    said = {text for name in words.settings for text in allowed(name, words)}
    for text in said:
        words.korean(text)
    if unused := words.unused(said):
        raise WordsError(f"no error says any more that allowed is: {sorted(unused)}")
    return {
        **{f"{group} {language}": _group(words, group, language)
           for group in words.groups for language in HEADS},
        **{f"short {language}": _short(words, language) for language in HEADS},
    }  # fmt: skip


def _group(words: Words, group: str, language: str) -> str:
    rows = [
        [
            "<br>".join((_code(name), *variables(name))),
            f"{words.settings[name][language]}<br>{_allowed(name, words, language)}",
            default(name, words, language),
            "<br>".join(_code(text) for text in examples(name, words)),
        ]
        for name, about in words.settings.items()
        if about["group"] == group
    ]
    return f"## {words.groups[group][language]}\n\n{table(HEADS[language], rows)}"


def _short(words: Words, language: str) -> str:
    rows = [
        [
            _code(name),
            variables(name)[0],
            default(name, words, language),
            about[language],
        ]
        for name, about in words.settings.items()
        if about.get("short")
    ]
    return table(SHORT_HEADS[language], rows)


def variables(name: str) -> list[str]:
    """Return the environment variables of a setting, as code, in the order of asking."""
    return [
        f"`OTEL_RESOURCE_ATTRIBUTES`: {_code(one.removeprefix(ATTRIBUTE))}"
        if one.startswith(ATTRIBUTE)
        else _code(one)
        for one in (SETTINGS[name].variables if name in SETTINGS else ())
    ]


def default(name: str, words: Words, language: str) -> str:
    """Return what a setting is where nothing is given."""
    said = str(words.settings[name].get("default", {}).get(language, ""))
    value = SETTINGS[name].default if name in SETTINGS else None
    if value is not None and "{LIMITS}" not in said:
        return _value(name, value, language) + said
    limits = ", ".join(f"{one} {number}" for one, number in Limits()._asdict().items())
    return said.format(LIMITS=limits, **vars(place))


def _value(name: str, value: Any, language: str) -> str:
    if value in ((), {}):
        return _NONE[language]
    if unit := _UNITS.get(name):
        return _code(f"{value // _SIZES[unit]}{unit}")
    return _code(str(value))


def allowed(name: str, words: Words) -> Iterator[str]:
    """Return what the errors of wrong values say that is allowed. Raises WordsError."""
    for value in words.settings[name].get("wrong", [object()]):
        arguments, environ = {name: value}, {}
        if name in KEYS:
            arguments, environ = {"pseudonyms": ["phone"]}, {KEYS[0]: _KEY, name: value}
        if name != "directory":
            arguments = {"output": "none", **arguments}  # no folder is made here
        try:
            config.resolve(arguments, environ)
        except ConfigError as error:
            yield str(error).partition("; allowed: ")[2]
        else:
            raise WordsError(f"{name}: {value!r} is said to be wrong, and is accepted")


def _allowed(name: str, words: Words, language: str) -> str:
    said = dict.fromkeys(allowed(name, words))
    texts = [words.korean(text) if language == "ko" else text for text in said]
    return _ALLOWED[language].format(_plain("; ".join(texts)))


def examples(name: str, words: Words) -> list[str]:
    """Return the example as an argument, and as a line of the environment."""
    argument, value = words.settings[name]["example"]
    found = [] if argument is None else [f"{name}={argument}"]
    if value is not None:
        variable = name if name in KEYS else SETTINGS[name].variables[0]
        found.append(f"{variable}={value}")
    return found


def files(words: Words) -> Mapping[str, str]:
    """Return the files that the examples name, with what is in them."""
    return {
        name: text
        for about in words.settings.values()
        for name, text in about.get("files", {}).items()
    }


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _plain(text: str) -> str:
    """Return a text as it stands in a cell: nothing in it is markup but whole code."""
    signs = r"[\\*~|<>]|(?<!\w)_|_(?!\w)" + ("" if text.count("`") == 2 else "|`")
    return re.sub(signs, lambda sign: f"&#{ord(sign[0])};", text)
