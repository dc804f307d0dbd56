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
OLDEST = "8.19.21"  # of the release that the kit still fits
ARTIFACT = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
# By its full name, because the plugin's version decides which goals and options there are.
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"


def elasticsearch_home(cache: Cache, version: str = VERSION) -> Path:
    """The unpacked distribution, fetched on first use (about 130 MB).

    Raises `MissingToolError`, or `RuntimeError` with the end of Maven's output.
    """
    name = f"elasticsearch-{version}"
    return cache.obtain(name, lambda folder: _fetch(folder, version)) / name


def _fetch(folder: Path, version: str) -> None:
    fetched = subprocess.run(
        [
            require(MAVEN),
            *(
                "-q",
                "-B",
                COPY,
                f"-Dartifact={ARTIFACT.format(version=version)}",
                f"-DoutputDirectory={folder}",
            ),
            "-Dmdep.useBaseVersion=true",
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if fetched.returncode:
        raise RuntimeError(f"Fetching Elasticsearch {version} failed:\n{fetched.stdout[-4000:]}")
    archive = folder / f"elasticsearch-{version}.zip"
    _unpack(archive, folder)
    archive.unlink()


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            path = Path(packed.extract(entry, folder))
            # extractall forgets which files are programs.
            path.chmod((entry.external_attr >> 16) & 0o777 or path.stat().st_mode)
