"""Fetches programs that are a list of jars."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from .tools import MAVEN, require

if TYPE_CHECKING:
    from pathlib import Path

    from .cache import Cache

# By its full name, because the plugin's version decides which goals and options there are.
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"

PROJECT = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>flowery.example</groupId>
  <artifactId>{artifact}</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>{group}</groupId>
      <artifactId>{artifact}</artifactId>
      <version>{version}</version>
    </dependency>
  </dependencies>
</project>
"""


def jars(cache: Cache, coordinates: str) -> Path:
    """The folder with the jars of `group:artifact:version` and all that it needs.

    Raises `MissingToolError`, or `RuntimeError` with the end of Maven's output.
    """
    group, artifact, version = coordinates.split(":")
    project = PROJECT.format(group=group, artifact=artifact, version=version)

    def fetch(folder: Path) -> None:
        (folder / "pom.xml").write_text(project)
        fetched = subprocess.run(
            [require(MAVEN), "-q", "-B", COPY, f"-DoutputDirectory={folder}"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if fetched.returncode:
            raise RuntimeError(f"Fetching {coordinates} failed:\n{fetched.stdout[-4000:]}")

    return cache.obtain(f"{artifact}-{version}", fetch)
