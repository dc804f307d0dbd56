"""What the tables and the plot say, in both languages: English as it is, Korean by korean.yml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import yaml

LANGUAGES: Final = ("en", "ko")
KOREAN: Final = Path(__file__).with_name("korean.yml")

Say = Callable[[str], str]
"""Returns an English text, which may have places for numbers, in some language."""


class WordsError(Exception):
    """A text has no Korean; says which."""


class Words:
    """What korean.yml says, and which of it was asked for."""

    def __init__(self, path: Path = KOREAN) -> None:
        found = yaml.safe_load(path.read_text("utf-8"))
        self._korean: dict[str, str] = found["korean"] | {text: text for text in found["same"]}
        self._said: set[str] = set()

    def say(self, language: str) -> Say:
        """Return what says texts in a language."""
        return self.korean if language == "ko" else str

    def korean(self, text: str) -> str:
        """Return a text in Korean. Raises WordsError."""
        if text not in self._korean:
            raise WordsError(f"{KOREAN.name} has no Korean for {text!r}")
        self._said.add(text)
        return self._korean[text]

    def unused(self) -> set[str]:
        """Return the texts that nobody has asked for."""
        return self._korean.keys() - self._said
