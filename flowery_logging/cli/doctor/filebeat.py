"""Filebeat's configuration against the directory: is it read, and is nothing lost on the way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from flowery_logging.cli.doctor.finding import Finding, fault, note
from flowery_logging.cli.reading.fields import value_at
from flowery_logging.config.place import working_directory
from flowery_logging.files.reader import LogFile

SAMPLE: Final = "service-20260101T000000Z-0123456789abcdef01234567-0001.ndjson"
"""The form of a name of ours, where the directory has no file yet."""

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([^}]*))?\}")

Node = dict[str, Any]


class ConfigurationError(Exception):
    """The configuration cannot be read; says why."""


def read(path: Path) -> Node:
    """Return a configuration with dotted names nested. Raises ConfigurationError."""
    try:
        import yaml  # of the extra; needed for this option alone
    except ImportError:
        raise ConfigurationError("PyYAML is not installed: pip install pyyaml") from None
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(str(error).replace("\n", " ")) from None
    if not isinstance(found, dict):
        raise ConfigurationError("it holds no settings")
    settings: Node = nested(found)
    return settings


def nested(value: object) -> Any:
    """Return settings with `a.b: 1` and `a: {b: 1}` alike nested, as Filebeat reads them."""
    if isinstance(value, list):
        return [nested(one) for one in value]
    if not isinstance(value, dict):
        return value
    found: Node = {}
    for name, inner in value.items():
        *parents, last = str(name).split(".")
        node = found
        for parent in parents:
            below = node.setdefault(parent, {})
            node = below if isinstance(below, dict) else node.setdefault(parent, {})
        known, new = node.get(last), nested(inner)
        node[last] = {**known, **new} if isinstance(known, dict) and isinstance(new, dict) else new
    return found


def check(
    settings: Node, directory: Path, files: list[LogFile], environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield what is wrong with the settings for the files of a directory."""
    inputs = [one for one in _list(value_at(settings, "filebeat.inputs")) if isinstance(one, dict)]
    if not inputs:
        elsewhere = ("filebeat.config.inputs", "filebeat.modules")
        more = any(value_at(settings, name) for name in elsewhere)
        where = "inputs of other files or modules are not looked at" if more else "it reads nothing"
        yield fault("filebeat", f"there is no input in filebeat.inputs: {where}", _KIT)
        return
    names = [file.path for file in files] or [str(working_directory() / directory / SAMPLE)]
    takers = {name: [one for one in inputs if _takes(one, name, environ)] for name in names}
    unread = [name for name, found in takers.items() if not found]
    if unread:
        yield _unread(unread, names, inputs, environ)
    twice = next((name for name, found in takers.items() if len(found) > 1), None)
    if twice is not None:
        yield fault(
            "filebeat",
            f"{twice} is read by {len(takers[twice])} inputs: each event is sent twice",
            "keep one input for the directory",
        )
    used = [one for one in inputs if any(one in found for found in takers.values())]
    for one in used:
        yield from _input(one, settings)


_KIT: Final = "take the kit's: flowery-logging kit DIR writes filebeat.yml"


def _unread(
    unread: list[str], names: list[str], inputs: list[Node], environ: Mapping[str, str]
) -> Finding:
    globs = ", ".join(glob for one in inputs for glob in _globs(one, environ)) or "none"
    what = f"{len(unread)} of {len(names)} log files match no path of Filebeat's ({globs})"
    folder = os.path.dirname(unread[0])
    fix = f"paths: ['{folder}/*.ndjson']"
    if "${FLOWERY_LOG_DIR" in str([one.get("paths") for one in inputs]):
        fix = f"FLOWERY_LOG_DIR={folder} in Filebeat's environment (systemctl edit filebeat)"
    return fault("filebeat", f"{what}: {unread[0]}", fix)


def _takes(one: Node, name: str, environ: Mapping[str, str]) -> bool:
    if one.get("enabled") is False:
        return False
    excluded = value_at(one, "prospector.scanner.exclude_files") or one.get("exclude_files")
    if any(_search(str(pattern), name) for pattern in _list(excluded)):
        return False
    names = {name, os.path.realpath(name)}
    return any(_glob(pattern).fullmatch(path) for pattern in _globs(one, environ) for path in names)


def _globs(one: Node, environ: Mapping[str, str]) -> list[str]:
    return [os.path.normpath(_filled_in(str(p), environ)) for p in _list(one.get("paths"))]


def _filled_in(text: str, environ: Mapping[str, str]) -> str:
    """Return a path with `${NAME:default}` replaced, as Filebeat does."""
    return _VARIABLE.sub(lambda found: environ.get(found[1]) or found[2] or "", text)


def _glob(pattern: str) -> re.Pattern[str]:
    """Return Go's `filepath.Glob` with Filebeat's `**` as an expression."""
    parts = re.split(r"(\*\*/?|\*|\?|\[[^\]]*\])", pattern)
    signs = {"*": "[^/]*", "?": "[^/]", "**": "[^/]*", "**/": "(?:[^/]+/){0,8}"}
    return re.compile(
        "".join(
            signs.get(part) or (part if part.startswith("[") else re.escape(part)) for part in parts
        )
    )


def _search(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def _input(one: Node, settings: Node) -> Iterator[Finding]:
    """Yield the settings of an input under which events are lost or sent twice."""
    kind = str(one.get("type"))
    if kind != "filestream":
        yield fault(
            "filebeat",
            f"the input is of type {kind}",
            "type: filestream; the type log is gone in Filebeat 9 and loses files on inode reuse",
        )
        return
    if not one.get("id"):
        yield fault(
            "filebeat",
            "the filestream input has no id",
            "id: flowery, and never change it: each new id reads all files again",
        )
    yield from _losses(one)
    yield from _decoding(one, settings)


def _losses(one: Node) -> Iterator[Finding]:
    state = value_at(one, "close.on_state_change") or {}
    if state.get("removed") is not False:
        yield fault(
            "filebeat",
            "a file that retention deletes is let go unread (close.on_state_change.removed)",
            "close.on_state_change.removed: false",
        )
    if not isinstance(one.get("file_identity"), dict):
        yield fault(
            "filebeat",
            "files are told apart by inode or fingerprint; a reused inode counts as read",
            "file_identity.path: ~  (names are never reused or renamed here)",
        )
    for name in ("ignore_older", "clean_inactive", "harvester_limit"):
        if one.get(name) not in {None, 0, "0", "0s", "0h"} and name in one:
            yield fault(
                "filebeat",
                f"{name}: {one[name]} strands what an outage has left unread",
                f"take {name} away",
            )
    if value_at(one, "close.reader.on_eof") is not True and "inactive" not in state:
        yield note(
            "filebeat",
            "finished files stay open for five minutes, or are let go in an outage",
            "close.reader.on_eof: true and close.on_state_change.inactive: 0s",
        )


def _decoding(one: Node, settings: Node) -> Iterator[Finding]:
    """Look for a decoder at the edge, which fits Elasticsearch's output alone."""
    output = settings.get("output")
    outputs = set(output) if isinstance(output, dict) else set()
    parsers = _list(one.get("parsers"))
    processors = _list(one.get("processors")) + _list(settings.get("processors"))
    decoded = _has(parsers, "ndjson") or _has(processors, "decode_json_fields")
    if decoded and outputs & {"logstash", "kafka"}:
        yield fault(
            "filebeat",
            "lines are decoded before Logstash: one foreign line closes the connection for ever",
            "take the decoder away (parsers: ndjson); the kit's Logstash filter decodes",
        )
    if not decoded and "elasticsearch" in outputs:
        yield fault(
            "filebeat",
            "lines go to Elasticsearch undecoded: each is one text in message",
            "take the kit's filebeat.elasticsearch.yml",
        )


def _has(items: list[Any], name: str) -> bool:
    return any(isinstance(one, dict) and name in one for one in items)


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
