"""Fetches the Elasticsearch server that Maven offers: the real one, with few modules."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from .tools import MAVEN, require

if TYPE_CHECKING:
    from .cache import Cache

VERSION = "9.5.0"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
# By its full name, because the plugin's version decides which goals and options there are.
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"


def elasticsearch_home(cache: Cache) -> Path:
    """The unpacked distribution, fetched on first use (about 130 MB).

    Raises `MissingToolError`, or `RuntimeError` with the end of Maven's output.
    """
    return cache.obtain(f"elasticsearch-{VERSION}", _fetch) / f"elasticsearch-{VERSION}"


def _fetch(folder: Path) -> None:
    fetched = subprocess.run(
        [
            require(MAVEN),
            *("-q", "-B", COPY, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"),
            "-Dmdep.useBaseVersion=true",
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if fetched.returncode:
        raise RuntimeError(f"Fetching Elasticsearch {VERSION} failed:\n{fetched.stdout[-4000:]}")
    archive = folder / f"elasticsearch-{VERSION}.zip"
    _unpack(archive, folder)
    archive.unlink()


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            path = Path(packed.extract(entry, folder))
            # extractall forgets which files are programs.
            path.chmod((entry.external_attr >> 16) & 0o777 or path.stat().st_mode)
