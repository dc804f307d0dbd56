"""What is published: a stranger installs the wheel, logs and audits; nothing else lies in it."""

import sys
import tarfile
import zipfile

import pytest

from scripts import try_package


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return try_package.build(tmp_path_factory.mktemp("dist"))


@pytest.mark.slow
def test_a_stranger_logs_and_audits(wheel):
    installed = try_package.try_wheel(sys.executable, wheel)
    assert "structlog==" in installed
    assert "hypothesis==" not in installed  # nothing that only the project's work needs


@pytest.mark.slow
def test_the_wheel_has_the_package_its_types_the_kit_and_the_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "flowery_logging",
        "pytest_flowery_logging.py",  # pytest imports it at each start, and so not the package
        f"flowery_logging-{wheel.name.split('-')[1]}.dist-info",
    }
    for needed in ("py.typed", "filebeat/filebeat.yml", "filebeat/kibana/flowery.ndjson"):
        assert f"flowery_logging/{needed}" in names
    assert any(name.endswith("/LICENSE") for name in names)
    assert not any("__pycache__" in name for name in names)


@pytest.mark.slow
def test_the_source_distribution_can_be_worked_with(wheel):
    (path,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "LICENSE", "README.md", "constraints.txt", "tests/conftest.py"} <= names


@pytest.mark.slow
def test_the_lowest_versions_are_those_declared(wheel):
    names = {need.partition("==")[0] for need in try_package.lowest(wheel)}
    assert {"orjson", "structlog", "ecs-logging", "python-json-logger", "click", "rich"} == names
