"""What the stock template types by its name alone cannot make an entry of an open object misread.

`ecs@mappings` makes an address of `*_ip` wherever it stands. The names are read from the
distribution of Elasticsearch, which is the judge as well.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from .programs import Cache, elasticsearch_home
from .sender import Sender
from .templates import stock_templates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .elasticsearch_client import ElasticsearchClient
    from .receiver import Receiver

TEXTS = {"keyword", "wildcard"}  # take any text
SERVICE = """
import json, logging, sys
import flowery_logging
directory, environment, declared, fields = sys.argv[1:]
flowery_logging.setup(service="shop", directory=directory, environment=environment, output="file",
                      fields=json.loads(declared))
for field in json.loads(fields):
    logging.getLogger("names").info("named", extra=field)
flowery_logging.shutdown()
"""


def typed_names() -> Iterator[str]:
    """Examples of all names, at least two parts long, that are given a type that refuses texts."""
    templates = stock_templates(elasticsearch_home(Cache.from_environment()))
    mappings = templates["/_component_template/ecs@mappings"]["template"]["mappings"]
    for entry in mappings["dynamic_templates"]:
        (rule,) = entry.values()
        kinds = rule.get("match_mapping_type", "string")
        if rule["mapping"]["type"] in TEXTS or "string" not in kinds:
            continue
        for pattern in [*as_list(rule.get("match")), *as_list(rule.get("path_match"))]:
            name = pattern.replace("*", "flowery_x")
            if "match" in rule or "*" in pattern:
                yield name if "." in name else f"flowery_y.{name}"


def as_list(patterns: str | list[str] | None) -> list[str]:
    return [patterns] if isinstance(patterns, str) else patterns or []


def write(folder: Path, environment: str, declared: dict[str, str], fields: list[Any]) -> list[Any]:
    """The events of a service that logs these fields."""
    arguments = [str(folder), environment, json.dumps(declared), json.dumps(fields)]
    subprocess.run([sys.executable, "-c", SERVICE, *arguments], check=True)
    lines = b"".join(path.read_bytes() for path in sorted(folder.glob("*.ndjson"))).splitlines()
    return [orjson.loads(line) for line in lines]


@pytest.mark.parametrize("kind", ["object", "nested"])
def test_an_entry_named_like_a_typed_field_is_read_as_it_is(
    elasticsearch: ElasticsearchClient,
    receiver: Receiver,
    tmp_path: Path,
    environment: str,
    kind: str,
) -> None:
    names = [name.rpartition(".") for name in typed_names()]
    assert len(names) > 30
    declared = {parent: kind for parent, _, _ in names}
    fields: list[Any] = [{parent: [{leaf: "neither date nor number"}]} for parent, _, leaf in names]
    fields += [{f"{parent}.{leaf}": "neither date nor number"} for parent, _, leaf in names]
    events = write(tmp_path, environment, declared, fields)
    deliver(elasticsearch, receiver, events, environment)
    labelled = [event["labels"] for event in events if event["message"] == "named"]
    assert len(labelled) == len(fields)


def test_names_that_may_be_declared_are_taken(
    elasticsearch: ElasticsearchClient, receiver: Receiver, tmp_path: Path, environment: str
) -> None:
    """Up to the depth of Elasticsearch's limit; the next one is refused by `setup()`."""
    scalars = ["주문.번호", "Order_2.line-item", "a@b", "x._id", ".".join("x" * 20)]
    objects = [".".join("y" * 19)]
    declared = dict.fromkeys(scalars, "keyword") | dict.fromkeys(objects, "object")
    fields: list[Any] = [{name: "a"} for name in scalars]
    fields += [{f"{name}.entry": "a"} for name in objects]
    events = write(tmp_path, environment, declared, fields)
    assert not any("labels" in event for event in events if event["message"] == "named")
    deliver(elasticsearch, receiver, events, environment)


def deliver(
    elasticsearch: ElasticsearchClient, receiver: Receiver, events: list[Any], environment: str
) -> None:
    """Send the events; none is rejected, and no field of one is ignored."""
    with Sender(receiver.address) as sender:
        sender.send_events(events)
        while sender.acknowledged() != len(events):
            pass
    stream = f"logs-flowery-{environment}"
    assert receiver.counters.rejected == []
    assert elasticsearch.count(stream) == len(events)
    hits = elasticsearch.scroll(stream, ["*"], query={"exists": {"field": "_ignored"}})
    assert [hit["_ignored"] for hit in hits] == []
