"""The kit's files for Prometheus, as promtool reads them; its rules, as promtool tests them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .programs import Cache
from .programs.prometheus import promtool_binary

FOLDER = Path(__file__).resolve().parents[2] / "filebeat" / "prometheus"


def promtool(*arguments: str) -> str:
    program = str(promtool_binary(Cache.from_environment()))
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, cwd=FOLDER
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules/flowery.rules.yml"),
        ("test", "rules", "tests/flowery.test.yml"),
    ],
    ids=["config", "rules", "tests"],
)
def test_promtool_finds_nothing_wrong(arguments: tuple[str, ...]) -> None:
    assert "SUCCESS" in promtool(*arguments)


def test_a_rule_that_does_not_fire_fails_its_test(tmp_path: Path) -> None:
    rules = (FOLDER / "rules" / "flowery.rules.yml").read_text()
    broken = rules.replace("flowery_filebeat_up == 0", "flowery_filebeat_up == 7")
    assert broken != rules
    for folder, name, text in (
        ("rules", "flowery.rules.yml", broken),
        ("tests", "flowery.test.yml", (FOLDER / "tests" / "flowery.test.yml").read_text()),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    with pytest.raises(AssertionError, match="FloweryFilebeatDown"):
        promtool("test", "rules", str(tmp_path / "tests" / "flowery.test.yml"))
