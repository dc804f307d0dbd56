"""Tells a build where the project lies: its addresses, and a README whose links lead there.

GitHub's workflows name the repository in their environment. Elsewhere nobody knows it: then there
are no addresses, and the links stay relative.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(?P<image>!?)(?P<text>\[[^\]]*\])\((?!\w+:|#)(?P<path>[^)\s]+)\)")


class Addresses(MetadataHookInterface):
    """Fills in `urls` and `readme`; the build finds the class by itself."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = Path(self.root, "README.md").read_text("utf-8")
        repository = repository_of(os.environ)
        if repository is not None:
            metadata["urls"] = urls(repository)
            text = with_whole_links(text, repository, f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def repository_of(environment: Mapping[str, str]) -> str | None:
    """Return the address of the repository whose workflow this is; None: it is none."""
    server, name = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    return f"{server}/{name}" if server and name else None


def urls(repository: str) -> dict[str, str]:
    """Return the addresses that the package index shows."""
    return {
        "Homepage": repository,
        "Documentation": f"{repository}/tree/main/docs",
        "Changes": f"{repository}/blob/main/CHANGELOG.md",
        "Issues": f"{repository}/issues",
        "Security": f"{repository}/security/policy",
    }


def with_whole_links(text: str, repository: str, tag: str) -> str:
    """Return a page of Markdown whose relative links lead into the repository at this tag."""

    def whole(found: re.Match[str]) -> str:
        kind = "raw" if found["image"] else "blob"  # a page index shows only what is no page
        return f"{found['image']}{found['text']}({repository}/{kind}/{tag}/{found['path']})"

    return _LINK.sub(whole, text)
