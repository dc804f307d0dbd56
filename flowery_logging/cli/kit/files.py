"""The kit's files: where they lie, and written out filled in for a team."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import flowery_logging
from flowery_logging.cli.whole import write_whole

# In a wheel the kit lies in the package, in a checkout beside it.
_PACKAGE = Path(flowery_logging.__file__).parent
_PLACES = (_PACKAGE / "filebeat", _PACKAGE.parent / "filebeat")

# ${NAME:default} of Filebeat and Logstash alike, ${NAME:-default} of the shell; a default may be a
# list in brackets.
_DEFAULT = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<sign>:-?)(?P<default>\[[^\]]*\]|[^}]*)\}")


class MissingKitError(Exception):
    """The package was installed without the kit's files."""


def kit_folder() -> Path:
    """Return the folder of the kit's files. Raises MissingKitError."""
    for place in _PLACES:
        if (place / "filebeat.yml").is_file():
            return place
    raise MissingKitError(f"the kit lies in none of {', '.join(map(str, _PLACES))}")


def kit_files(kit: Path) -> Iterator[Path]:
    """Yield the kit's files, relative to its folder, in order."""
    for path in sorted(kit.rglob("*")):
        relative = path.relative_to(kit)
        if path.is_file() and not any(part.startswith((".", "__")) for part in relative.parts):
            yield relative


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """Return a configuration with other defaults for the environment variables named.

    A default that is a list takes a value with commas as a list: "a:5044,b:5044". The values must
    be such that they need no quotes: see `values`.
    """

    def replace(match: re.Match[str]) -> str:
        value = values.get(match["name"])
        if value is None:
            return match[0]
        if match["default"].startswith("["):
            items = ",".join(f'"{item.strip()}"' for item in value.split(","))
            value = f"[{items}]"
        return f"${{{match['name']}{match['sign']}{value}}}"

    return _DEFAULT.sub(replace, text)


def write_file(folder: Path, relative: Path, content: bytes, *, private: bool = False) -> None:
    """Write one file of the kit, whole or not at all: 0644, and 0755 for scripts and folders.

    Nobody but its owner reads a private one.
    """
    path = folder / relative
    for parent in [*reversed(relative.parents)]:
        if not (folder / parent).is_dir():
            (folder / parent).mkdir(parents=True)
            (folder / parent).chmod(0o755)
    mode = 0o755 if path.suffix == ".sh" else 0o644
    write_whole(path, content, mode & 0o700 if private else mode)


def as_text(body: object) -> str:
    """Return a body as it stands in the kit's files."""
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
