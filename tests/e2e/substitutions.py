"""What the Maven distribution of Elasticsearch lacks, and what stands in for it.

The kit's templates are installed as they are but for this table. A substitution that finds
nothing to replace fails, so that the table cannot outlive its reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Node = dict[str, Any]


@dataclass(frozen=True)
class Substitution:
    """Changes a node of a template in place and says whether it applied to it."""

    lacks: str
    apply: Callable[[Node], bool]


def _type(lacking: str, replacement: str, *surplus: str) -> Substitution:
    """`surplus` are options that only the lacking type has."""

    def apply(node: Node) -> bool:
        if node.get("type") != lacking:
            return False
        node["type"] = replacement
        for option in surplus:
            node.pop(option, None)
        return True

    return Substitution(f"the field type {lacking}", apply)


def _setting(section: str, name: str, lacking: str) -> Substitution:
    def apply(node: Node) -> bool:
        owner = node.get(section) if section else node
        return isinstance(owner, dict) and name in owner and owner.pop(name) is not None

    return Substitution(lacking, apply)


def _cjk(node: Node) -> bool:
    """Every syllable a token of its own: a phrase then finds what bigrams find."""
    mappings = node.get("mappings")
    if not any(field.get("analyzer") == "cjk" for field in _nodes(mappings)):
        return False
    settings = node.setdefault("settings", {})
    settings["analysis"] = {"analyzer": {"cjk": {"type": "standard", "max_token_length": 1}}}
    return True


SUBSTITUTIONS = (
    _type("match_only_text", "text"),
    _type("constant_keyword", "keyword", "value"),
    _type("wildcard", "keyword"),
    _type("scaled_float", "float", "scaling_factor"),
    Substitution("the analyser cjk", _cjk),
    _setting("lifecycle", "name", "index lifecycle policies"),
    _setting("index", "default_pipeline", "the processors of the stock ingest pipeline"),
    _setting("index", "final_pipeline", "the processors of flowery@arrival"),
)


def substitute(templates: dict[str, Any], table: Iterable[Substitution] = SUBSTITUTIONS) -> None:
    """Apply the table in place; raises `LookupError` for an entry that matched nothing."""
    for substitution in table:
        if not sum(substitution.apply(node) for node in _nodes(templates)):
            raise LookupError(
                f"no template uses what this distribution lacks: {substitution.lacks}"
            )


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, dict):
        yield value
        for child in list(value.values()):
            yield from _nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from _nodes(child)
