"""Finds Go, Maven and a JDK on this machine, or says in one sentence what is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Version = tuple[int, ...]

JDK_NEEDED: Version = (21,)
JDK_FOLDERS = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/*jdk*",
    "/opt/java/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
)


class MissingToolError(Exception):
    """A tool that the end-to-end tests need is not there, or too old."""


@dataclass(frozen=True)
class Tool:
    """A command that must be on the PATH, and how it tells its version."""

    name: str
    command: str
    version_arguments: tuple[str, ...]
    version_pattern: str
    needed: Version


GO = Tool("Go", "go", ("env", "GOVERSION"), r"go(\d+(?:\.\d+)*)", (1, 23))
NODE = Tool("Node.js", "node", ("--version",), r"v(\d+(?:\.\d+)*)", (18,))
NPM = Tool("npm", "npm", ("--version",), r"^(\d+(?:\.\d+)*)", (8,))
MAVEN = Tool("Maven", "mvn", ("-v",), r"Apache Maven (\d+(?:\.\d+)*)", (3, 6))


def require(tool: Tool) -> str:
    """The absolute path of a command that is new enough; raises `MissingToolError`."""
    path = shutil.which(tool.command)
    found = _version_of([path, *tool.version_arguments], tool.version_pattern) if path else None
    if path is None or found is None or found < tool.needed:
        raise MissingToolError(_sentence(tool.name, tool.needed, path, found, "put it on the PATH"))
    return path


def find_jdk() -> Path:
    """The home of a JDK that runs Elasticsearch; raises `MissingToolError`."""
    return choose_jdk(_jdk_candidates())


def choose_jdk(candidates: Iterable[Path]) -> Path:
    """The first of `candidates` that is new enough; raises `MissingToolError`."""
    seen: list[tuple[Version, Path]] = []
    for home in candidates:
        version = _version_of([str(home / "bin" / "java"), "-version"], r'version "(\d+)')
        if version is not None and version >= JDK_NEEDED:
            return home
        if version is not None:
            seen.append((version, home))
    newest, where = max(seen, default=(None, None))
    advice = "set FLOWERY_JAVA_HOME or JAVA_HOME to its folder"
    raise MissingToolError(_sentence("a JDK", JDK_NEEDED, where, newest, advice))


def _jdk_candidates() -> Iterator[Path]:
    for variable in ("FLOWERY_JAVA_HOME", "JAVA_HOME"):
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parents[1]
    for pattern in JDK_FOLDERS:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))


def _version_of(command: list[str], pattern: str) -> Version | None:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except OSError:
        return None
    match = re.search(pattern, answer.stdout + answer.stderr)
    return tuple(int(part) for part in match[1].split(".")) if match else None


def _sentence(name: str, needed: Version, where: object, found: Version | None, advice: str) -> str:
    if where is None:
        state = "none was found"
    elif found is None:
        state = f"{where} does not tell its version"
    else:
        state = f"the one at {where} is {_dotted(found)}"
    return (
        f"The end-to-end tests need {name} {_dotted(needed)} or newer, but {state}: "
        f"install one and {advice}."
    )


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)
