"""The real Elasticsearch with its security on: TLS, the user elastic, and the kit's roles.

Its index of users, roles and API keys needs an analyser that this distribution lacks, so roles and
users lie in files: Elasticsearch reads the same roles from there.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

from .elasticsearch import Elasticsearch

KIT = Path(__file__).resolve().parents[3] / "filebeat"
PASSWORD = "for-this-test-alone"
TLS = """\
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.key: certificates/elasticsearch.key
xpack.security.http.ssl.certificate: certificates/elasticsearch.crt
"""


class SecuredElasticsearch(Elasticsearch):
    """A node that lets in the user elastic and whoever it has made; its authority is `ca`."""

    secured = True
    scheme = "https"

    def __init__(
        self, home: Path, jdk: Path, certificates: Path, users: Mapping[str, Iterable[str]]
    ) -> None:
        """`certificates` is a folder of certificates.sh, with one for `elasticsearch`.

        `users` are the names of users with those of the kit's roles that each has.
        """
        self._certificates = certificates
        self._users = users
        self.ca = certificates / "ca.crt"
        super().__init__(home, jdk)

    def is_ready(self) -> bool:
        """Whether the node answers the user elastic."""
        health = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s"
        try:
            answer = httpx.get(
                health,
                auth=("elastic", PASSWORD),
                verify=ssl.create_default_context(cafile=str(self.ca)),
                timeout=60,
            )
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def _prepare(self, home: Path, jdk: Path) -> None:
        folder = self._folder / "config"
        shutil.copytree(self._certificates, folder / "certificates")
        with (folder / "elasticsearch.yml").open("a") as settings:
            settings.write(TLS)
        # A role begins at the beginning of a line.
        roles = (KIT / "elasticsearch" / "roles").glob("*.json")
        lines = (f"{path.stem}: {json.dumps(_role(path))}\n" for path in roles)
        (folder / "roles.yml").write_text("".join(lines))
        commands = [["elasticsearch-keystore", "create"]]
        commands.append(["elasticsearch-keystore", "add", "--stdin", "bootstrap.password"])
        for name, of_it in self._users.items():
            user = ["elasticsearch-users", "useradd", name, "-p", PASSWORD, "-r", ",".join(of_it)]
            commands.append(user)
        environment = {"ES_JAVA_HOME": str(jdk), "ES_PATH_CONF": str(folder)}
        for program, *arguments in commands:
            subprocess.run(
                [str(home / "bin" / program), *arguments],
                env=os.environ | environment,
                input=PASSWORD,
                text=True,
                check=True,
                capture_output=True,
            )


def _role(path: Path) -> dict[str, Any]:
    """What a file of roles takes of one."""
    role = json.loads(path.read_text())
    return {name: role[name] for name in ("cluster", "indices")}
