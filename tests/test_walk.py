"""Newcomers with the wheel, an empty folder and the README: what it says is all that they do."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from scripts import try_package
from tests.docs import Reader, blocks
from tests.test_readme import README, section, without

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
THEIRS = (
    "celery",
    "django",
    "fastapi",
    "flask",
    "gunicorn",
    "httpx",
    "prometheus-client",
    "pytest",
)
"""What the teams have in their environments before they come to the README."""


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """Return where the commands of an environment lie into which the README's install line went."""
    folder = tmp_path_factory.mktemp("newcomer")
    try_package.build(folder / "dist")
    (source,) = (folder / "dist").glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    checkout = folder / source.name.removesuffix(".tar.gz")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    found: Path = folder / "venv" / "bin"
    pip = [str(found / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pins = ["-c", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, *pins, "uvicorn", *THEIRS], check=True)
    Reader(checkout, found).follow(section("Install"))
    return found


def test_a_fastapi_team_follows_the_whole_readme(commands, tmp_path):
    reader = Reader(tmp_path, commands)
    reader.follow(without("Install"))
    for block in blocks(README):
        if block.title:
            reader.run("python", block.title)
    reader.run("flowery-logging", "audit", "--grace", "0")
    reader.run("flowery-logging", "doctor", "--import", "main:app")


def test_a_django_team_has_its_project_changed(commands, tmp_path):
    reader = Reader(tmp_path, commands)
    reader.run("django-admin", "startproject", "orders", ".")
    command = "flowery-logging init --service orders"
    assert f"`{command}`" in README
    assert f"`{command} --write`" in section("Django")
    reader.run(*command.split())
    reader.run(*command.split(), "--write")
    reader.run("python", "manage.py", "check", "--fail-level", "WARNING")
    reader.follow("```console\n$ gunicorn orders.wsgi --bind 127.0.0.1:8000\n```\n")
    lines = [line for path in tmp_path.rglob("*.ndjson") for line in path.read_text().splitlines()]
    (access,) = (event for event in map(json.loads, lines) if event["message"].startswith("GET /"))
    assert (access["service"]["name"], len(access["trace"]["id"])) == ("orders", 32)
