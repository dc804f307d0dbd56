"""What is published: a stranger installs the wheel, logs and audits; nothing else lies in it."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from scripts import try_package

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
NO_REPOSITORY = {"GITHUB_SERVER_URL": "", "GITHUB_REPOSITORY": ""}
REPOSITORY = "https://github.example/flowery/logging"


def build(folder, environment):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return try_package.build(folder)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"), NO_REPOSITORY)


@pytest.fixture(scope="module")
def from_workflow(tmp_path_factory):
    server, _, name = REPOSITORY.partition("/flowery")
    known = {"GITHUB_SERVER_URL": server, "GITHUB_REPOSITORY": f"flowery{name}"}
    return try_package.metadata(build(tmp_path_factory.mktemp("dist"), known))


def test_a_stranger_logs_audits_and_shows_metrics(wheel):
    installed = try_package.try_wheel(sys.executable, wheel)
    assert "structlog==" in installed
    assert "hypothesis==" not in installed  # nothing that only the project's work needs


def test_the_wheel_has_the_package_its_types_the_kit_and_the_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "flowery_logging",
        "pytest_flowery_logging.py",  # pytest imports it at each start, and so not the package
        f"flowery_logging-{wheel.name.split('-')[1]}.dist-info",
    }
    skill = ".agents/skills/flowery-logging"  # where assistants' tools look for it
    for needed in (
        "py.typed", "filebeat/filebeat.yml", "filebeat/kibana/flowery.ndjson",
        f"{skill}/SKILL.md", f"{skill}/references/commands.md",
    ):  # fmt: skip
        assert f"flowery_logging/{needed}" in names
    assert any(name.endswith("/LICENSE") for name in names)
    assert not any("__pycache__" in name for name in names)


def test_the_source_distribution_can_be_worked_with(wheel):
    (path,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"Makefile", "LICENSE", "README.md", "constraints.txt", "hatch_build.py"}
    assert needed | {"tests/conftest.py", "examples/README.md"} <= names


def test_the_lowest_versions_are_those_declared(wheel):
    names = {need.partition("==")[0] for need in try_package.lowest(wheel)}
    needed = {"orjson", "structlog", "ecs-logging", "python-json-logger"}
    assert names == needed | {"click", "rich", "pyyaml", "prometheus-client"}


def test_what_only_the_project_needs_is_no_extra(wheel):
    extras = try_package.metadata(wheel).get_all("Provides-Extra", [])
    assert set(extras) == {"cli", "prometheus"}


def test_a_build_that_knows_no_repository_names_none(wheel):
    metadata = try_package.metadata(wheel)
    assert metadata.get_all("Project-URL", []) == []
    assert "](docs/way.svg)" in metadata.get_payload()


def test_a_build_of_a_workflow_has_the_addresses_of_its_repository(from_workflow):
    urls = dict(line.split(", ") for line in from_workflow.get_all("Project-URL", []))
    assert urls["Homepage"] == REPOSITORY
    assert all(url.startswith(REPOSITORY) for url in urls.values())


def test_the_page_of_a_workflows_build_has_no_relative_link(from_workflow):
    page, version = from_workflow.get_payload(decode=True).decode(), from_workflow["Version"]
    targets = re.findall(r"\]\(([^)\s]+)\)", page)
    assert targets
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
    assert f"]({REPOSITORY}/raw/v{version}/docs/way.svg)" in page
    assert f"]({REPOSITORY}/blob/v{version}/CONTRIBUTING.md)" in page
    relative = page.replace(f"{REPOSITORY}/raw/v{version}/", "")
    relative = relative.replace(f"{REPOSITORY}/blob/v{version}/", "")
    assert relative == (ROOT / "README.md").read_text()


def test_what_the_laptops_image_copies_is_enough_to_build(tmp_path):
    """The image's pip builds from these files alone; Docker itself is not run."""
    services = yaml.safe_load((ROOT / "filebeat" / "compose.yaml").read_text())["services"]
    recipe = services["shop"]["build"]["dockerfile_inline"]
    before, install, _ = re.split(r"^(RUN pip install .*--group \w+)$", recipe, flags=re.MULTILINE)
    for line in re.findall(r"^COPY (.*)$", before, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, tmp_path / target)
    command = install.removeprefix("RUN pip").split()
    planned = [part.strip("'") for part in command] + ["--dry-run", "--quiet"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    for step in ([*pip, *planned], build):
        ran = subprocess.run(step, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
