"""Which type a dotted name has: ECS's own table, and the team's declared fields over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.conversion import MISFIT, as_items, fit
from flowery_logging.ecs.names import label_name
from flowery_logging.ecs.plain import entries, key_text, plain
from flowery_logging.event_parts import LABELS

_RESERVED: Final = frozenset({
    "@timestamp", "@metadata", "@version", "message", "event.id", "event.sequence",
    "event.ingested", "service.name", "type", "log", "process", "data_stream", "ecs", "agent",
    "input", "host",
})  # fmt: skip
_RESERVED_SETS: Final = (
    "log.", "process.", "data_stream.", "ecs.", "agent.", "input.", "host.", "@metadata.",
)  # fmt: skip

OWN_LABELS: Final = frozenset(LABELS)
"""The roots under which everything stands that has no type of its own."""

# Elasticsearch's component template `ecs@mappings` gives these names a type wherever they stand,
# so that a text under such a key of an open object would be malformed, or no keyword.
_TYPED_ENDS: Final = (
    ".ip", "_ip", ".timestamp", "_timestamp", ".not_after", ".not_before", ".accessed",
    ".created", ".installed", ".creation_date", ".ctime", ".mtime", ".ingested", ".start", ".end",
    ".indicator.first_seen", ".indicator.last_seen", ".indicator.modified_at",
    "threat.enrichments.matched.occurred", ".lifecycle.last_activity", ".usage", ".geo.location",
    ".x509.public_key_exponent", ".message", ".@timestamp",
    "gen_ai.request.max_tokens", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens",
    "gen_ai.request.choice.count", "gen_ai.request.seed", "gen_ai.request.temperature",
    "gen_ai.request.top_k", "gen_ai.request.frequency_penalty", "gen_ai.request.presence_penalty",
    "gen_ai.request.top_p",
)  # fmt: skip
_TYPED_PARTS: Final = ("_score", ".score.")


class Place(NamedTuple):
    """Where a leaf stands in the document, and its type."""

    path: str
    kind: str


def is_reserved(path: str) -> bool:
    """Tell whether only the library writes this field, or nobody may."""
    return path in _RESERVED or path.startswith(_RESERVED_SETS)


class Schema:
    """The types of all fields that are not labels.

    Objects come in four kinds: with a fixed set of fields (`network.inner`), walked into; arrays
    of those (`dns.answers`, all `nested` ones); open ones (`container.labels`), whose entries are
    keywords; `flattened` and `geo_point` ones, which are values.
    """

    def __init__(self, declared: Mapping[str, str]) -> None:
        self._types = {**ecs_fields.types(), **declared}
        self._arrays = ecs_fields.arrays()
        self._parents = ecs_fields.parents() | {
            parent for name in declared for parent in _parents(name)
        }
        opens = [
            f"{name}."
            for name, kind in self._types.items()
            if kind == "object" and name not in ecs_fields.parents() | OWN_LABELS
        ]
        self._open = tuple(sorted(opens, key=len, reverse=True))  # the innermost is found first

    def locate(self, path: str) -> Place | None:
        """Return where a caller's leaf belongs if it is an ECS or declared field."""
        kind = self._types.get(path)
        if kind is not None:
            return None if path in OWN_LABELS else Place(path, kind)
        if not path.startswith(self._open):
            return None
        for prefix in self._open:
            if path.startswith(prefix):
                entry = prefix + label_name(path[len(prefix) :])
                return None if _is_typed_by_name(entry) else Place(entry, "keyword")
        return None

    def is_value(self, path: str) -> bool:
        """Tell whether a mapping at this path is one value, not a set of fields to walk into."""
        kind = self._types.get(path)
        if kind == "object":
            return path in self._arrays and path in self._parents
        return kind in {"nested", "flattened", "geo_point"}

    def is_array(self, place: Place) -> bool:
        """Tell whether the field's values are normalised to arrays."""
        return place.path in self._arrays

    def fit(self, place: Place, value: object) -> Any:
        """Return the value as this field holds it, or MISFIT."""
        path, kind = place
        if value is MISFIT:
            return MISFIT
        if self.is_value(path) and path in self._parents:
            items = [self._fit_object(path, item) for item in as_items(value)]
            return MISFIT if MISFIT in items else items
        fitted = fit(value, kind, array=self.is_array(place))
        if fitted is MISFIT or kind not in {"object", "nested"}:
            return fitted
        names = {name for item in as_items(fitted) for name in item}
        return MISFIT if any(_is_typed_by_name(f"{path}.{name}") for name in names) else fitted

    def _fit_object(self, path: str, value: object) -> Any:
        """Return one object of an array as a tree; MISFIT unless each of its leaves fits."""
        value = plain(value)
        if not isinstance(value, Mapping):
            return MISFIT
        tree: dict[str, Any] = {}
        for name, leaf in self._leaves(f"{path}.", value):
            place = self.locate(name)
            converted = MISFIT if place is None else self.fit(place, leaf)
            if converted is MISFIT or not put(tree, name[len(path) + 1 :], converted):
                return MISFIT
        return tree or MISFIT

    def _leaves(self, prefix: str, value: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
        for key, item in entries(value):
            name = f"{prefix}{key_text(key)}"
            inner = plain(item)
            if isinstance(inner, Mapping) and name in self._parents and not self.is_value(name):
                yield from self._leaves(f"{name}.", inner)
            elif inner is not None:
                yield name, item


def _is_typed_by_name(path: str) -> bool:
    return path.endswith(_TYPED_ENDS) or any(part in path for part in _TYPED_PARTS)


def _parents(name: str) -> Iterator[str]:
    for end, character in enumerate(name):
        if character == ".":
            yield name[:end]


def put(tree: dict[str, Any], path: str, value: object) -> bool:
    """Put a value at a dotted path, making the objects on the way; False if it is taken."""
    *parents, last = path.split(".")
    node = objects(tree, parents)
    if node is None or last in node:
        return False
    node[last] = value
    return True


def objects(tree: dict[str, Any], names: Iterable[str]) -> dict[str, Any] | None:
    """Return the innermost of the objects of these names, making them; None if one is none."""
    node = tree
    for name in names:
        inner = node.setdefault(name, {})
        if not isinstance(inner, dict):
            return None
        node = inner
    return node
