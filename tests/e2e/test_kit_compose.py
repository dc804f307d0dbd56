"""compose.yaml as `docker compose config` reads it: complete, within its memory, no secret inside.

No container runs here; what was run by hand, and what was not, stands in the kit's README.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .programs import Cache
from .programs.compose import compose_binary

KIT = Path(__file__).resolve().parents[2] / "filebeat"
LAPTOP_BYTES = 4_000_000_000
WITH_KAFKA_BYTES = 6_000_000_000
# They end before the others need their memory.
PASSING = {"secrets", "certificates", "install", "dashboards", "password"}


def load(path: Path, *profiles: str) -> subprocess.CompletedProcess[str]:
    program = str(compose_binary(Cache.from_environment()))
    return subprocess.run(
        [program, str(path), *profiles], capture_output=True, text=True, check=False
    )


def services(*profiles: str) -> dict[str, Any]:
    loaded = load(KIT / "compose.yaml", *profiles)
    assert loaded.returncode == 0, loaded.stderr
    found: dict[str, Any] = json.loads(loaded.stdout)["services"]
    return found


def test_it_loads_with_all_its_parts() -> None:
    assert set(services()) >= {"shop", "filebeat", "logstash", "elasticsearch", "kibana"}
    assert set(services("kafka")) - set(services()) == {
        *("kafka", "filebeat-kafka", "logstash-kafka")
    }


def test_a_wrong_key_does_not_load(tmp_path: Path) -> None:
    broken = tmp_path / "compose.yaml"
    broken.write_text((KIT / "compose.yaml").read_text().replace("mem_limit:", "mem_limits:", 1))
    assert load(broken).returncode == 1


@pytest.mark.parametrize(
    ("profiles", "room"), [((), LAPTOP_BYTES), (("kafka",), WITH_KAFKA_BYTES)], ids=str
)
def test_the_limits_fit_the_machine(profiles: tuple[str, ...], room: int) -> None:
    found = services(*profiles)
    limits = {name: int(service["mem_limit"]) for name, service in found.items()}
    assert sum(size for name, size in limits.items() if name not in PASSING) <= room


def test_every_part_is_waited_for_until_it_is_well() -> None:
    found = services("kafka")
    for name, service in found.items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in PASSING else "service_healthy"
            assert how["condition"] == wanted, (name, needed)
            assert needed in PASSING or "healthcheck" in found[needed]


def test_only_the_loopback_interface_is_opened() -> None:
    for service in services("kafka").values():
        assert {port["host_ip"] for port in service.get("ports", ())} <= {"127.0.0.1"}


def test_every_file_that_is_mounted_is_in_the_kit() -> None:
    mounted = [
        Path(volume["source"])
        for service in services("kafka").values()
        for volume in service.get("volumes", ())
        if volume["type"] == "bind"
    ]
    assert mounted
    assert all(path.exists() for path in mounted)


def test_no_password_stands_in_it() -> None:
    for service in services("kafka").values():
        for name, value in (service.get("environment") or {}).items():
            if "PASSWORD" in name or "KEY" in name:
                assert value.startswith("/"), name
