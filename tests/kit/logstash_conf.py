"""Reads Logstash's configuration language as far as the kit uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*
    |(?P<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")
    |(?P<arrow>=>)
    |(?P<mark>[{}\[\]])
    |(?P<word>[^\s{}\[\]\#'"=,]+|[=!<>]=?|,)""",
    re.VERBOSE | re.DOTALL,
)
SECTIONS = ("input", "filter", "output")


@dataclass(frozen=True)
class Plugin:
    """One plugin of a section with its options; a codec's are under its own name."""

    section: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)


def plugins(text: str) -> list[Plugin]:
    """All plugins of a configuration, codecs too; raises `ValueError` where it does not parse."""
    return list(_Parser(list(_tokens(text))).configuration())


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"not Logstash: {text[position : position + 40]!r}")
        if match.lastgroup:
            yield match[0]
        position = match.end()


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._found: list[Plugin] = []

    def configuration(self) -> list[Plugin]:
        while self._tokens:
            section = self._next()
            if section not in SECTIONS:
                raise ValueError(f"{section!r} is no section")
            self._expect("{")
            self._block(section)
        return self._found

    def _block(self, section: str) -> None:
        while (name := self._next()) != "}":
            if name in {"if", "else"}:
                while self._next() != "{":
                    pass
                self._block(section)
            else:
                self._expect("{")
                self._found.append(Plugin(section, name, self._options()))

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {}
        while (name := self._next()) != "}":
            self._expect("=>")
            options[name] = self._value()
        return options

    def _value(self) -> Any:
        token = self._next()
        if token == "[":
            return self._array()
        if self._tokens[:1] == ["{"]:
            self._next()
            self._found.append(Plugin("codec", token, self._options()))
            return token
        return token[1:-1] if token[0] in "'\"" else token

    def _array(self) -> list[Any]:
        values: list[Any] = []
        while (token := self._next()) != "]":
            if token != ",":
                values.append(token[1:-1] if token[0] in "'\"" else token)
        return values

    def _next(self) -> str:
        if not self._tokens:
            raise ValueError("the configuration ends inside a block")
        return self._tokens.pop(0)

    def _expect(self, wanted: str) -> None:
        if (token := self._next()) != wanted:
            raise ValueError(f"{wanted!r} expected, not {token!r}")
