"""What is asked of a redaction, and one that hides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from flowery_logging.redaction.counting import Counting, counted_alone
from flowery_logging.redaction.markers import marker
from flowery_logging.redaction.numbers import Span


class Kind(NamedTuple):
    """A further kind of what is to be hidden.

    Args:
        name: what the marker and the count say, e.g. `phone`.
        find: yields where it stands in a text, as (start, end).
        sign: the quick look, taken at each event: tells, also wrongly, but cheaply, whether a text
            may hold one, given as UTF-8 and perhaps as it stands in JSON.
        is_name: tells of a key (one part of a dotted name) whether its value is of this kind.
    """

    name: str
    find: Callable[[str], Iterable[tuple[int, int]]]
    sign: Callable[[bytes], Any]
    is_name: Callable[[str], bool]


Make = Callable[[Any, Counting], Any]
"""Makes what is shown instead of a scalar; what it hides is counted."""


class Redaction:
    """Hides nothing: for records of the library's own, whose numbers must not be mistaken."""

    by_path = False
    """Whether more than one part of a dotted name may have to be known."""

    has_further = False
    """Whether there are further kinds: then no value is harmless by its form."""

    def kind_of(self, name: str) -> str | None:  # noqa: ARG002
        """Return the kind that the value of a key (one part of a dotted name) is; None: shown."""
        return None

    def kind_at(self, path: str, *, of_object: bool = False) -> str | None:  # noqa: ARG002
        """Return the kind that the value of a dotted name is by one of its parts; None: shown.

        `of_object`: the value is one whose entries have names of their own.
        """
        for kind in map(self.kind_of, path.split(".")):
            if kind is not None:
                return kind
        return None

    def maker(self, path: str) -> Make | None:  # noqa: ARG002
        """Return what makes what stands for a scalar of a dotted name; None: nothing does."""
        return None

    def shows(self, name: str, value: object) -> bool:  # noqa: ARG002
        """Tell whether a value is shown, although its name is a secret's: `auth="oauth2"`."""
        return False

    def hides(self, name: str) -> bool:
        """Tell whether the value of a key (one part of a dotted name) is a secret by its name."""
        return self.kind_of(name) is not None

    def are_plain(self, names: tuple[str, ...]) -> bool:  # noqa: ARG002
        """Tell, quickly, that the keys of an object hide nothing of it; False: perhaps they do."""
        return False

    def find(self, text: str) -> list[Span]:  # noqa: ARG002
        """Return where secrets stand in a text, in order, none over another."""
        return []

    def suspects(self, text: str) -> int:  # noqa: ARG002
        """Tell, quickly, what `find` may find in a text: kinds of secrets as bits, or 0."""
        return 0

    def suspects_json(self, encoded: bytes) -> int:  # noqa: ARG002
        """Tell as `suspects` of one or many texts in UTF-8, also as they stand in JSON."""
        return 0

    def suspects_alone(self, encoded: bytes) -> int:  # noqa: ARG002
        """Tell as `suspects_json` of one text; `UNTOLD` where that takes long."""
        return 0

    def asker(self) -> Callable[[bytes], int]:
        """Return another `suspects_json`, for texts that come from one call; or `UNTOLD`."""
        return self.suspects_json

    def clean(self, text: str, counts: Counting | None = None) -> str:  # noqa: ARG002
        """Return a text with a marker in place of each secret in it, which is counted."""
        return text

    def clean_head(self, text: str, shown: int, counts: Counting | None = None) -> str:  # noqa: ARG002
        """Return what `clean` does of a text of which no more than the first characters are shown.

        Of a long one the rest is left out, with a note.
        """
        return text

    def clean_suspected(self, text: str, kinds: int, counts: Counting | None = None) -> str:  # noqa: ARG002
        """Return what `clean` does of a text of which `suspects` has told these kinds."""
        return text

    def clean_name(self, name: str) -> str:
        """Return the name of a field without secrets: a card number may be the key of a dict."""
        return name

    def clean_items(self, items: list[str], counts: Counting | None = None) -> list[str]:
        """Return texts without secrets; those of a command tell of one another."""
        return [self.clean(item, counts) for item in items]

    def clean_query(self, query: str, counts: Counting | None = None) -> str:  # noqa: ARG002
        """Return the query of a URL, without its question mark, without the secrets in it."""
        return query

    def is_simple_query(self, query: str) -> bool:  # noqa: ARG002
        """Tell of the query of a URL, quickly, that it needs not be cleaned; False: perhaps."""
        return True

    def clean_number(self, value: float, counts: Counting | None = None) -> Any:  # noqa: ARG002
        """Return a number, or the marker if it is a card or resident number."""
        return value

    def hide(self, kind: str, counts: Counting) -> str:
        """Return what stands for the value of a secret's name, which is counted."""
        counts.add_all(counted_alone(kind))
        return marker(kind)
