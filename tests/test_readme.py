"""Each claim of the README is run or looked up."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import flowery_logging
from flowery_logging import config

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def section(title: str) -> str:
    return README.split(f"## {title}\n", 1)[1].split("\n## ")[0]


def test_the_python_of_a_service_runs(tmp_path: Path) -> None:
    program = "\n".join(re.findall(r"```python\n(.*?)```", section("In a service"), re.DOTALL))
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    (path,) = (tmp_path / "logs").iterdir()
    records = [json.loads(line) for line in path.read_text().splitlines()]
    events = [r for r in records if r["log"]["logger"] != "flowery_logging"]
    assert [r["message"] for r in events] == ["주문 생성", "order placed"]
    assert [r["numeric_labels"] for r in events] == [{"order_id": 7}] * 2


def test_the_shown_line_has_the_keys_of_a_real_one(tmp_path: Path) -> None:
    (shown,) = (json.loads(block) for block in blocks("json"))
    program = (
        "import flowery_logging\n"
        f"flowery_logging.setup('orders', directory={str(tmp_path)!r}, output='file')\n"
        "def place():\n"
        "    with flowery_logging.bound(**{'trace.id': '4bf92f3577b34da6a3ce929d0e0e4736'}):\n"
        "        flowery_logging.get_logger().info('order placed', order_id=7)\n"
        "place()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    (path,) = tmp_path.iterdir()
    records = map(json.loads, path.read_text().splitlines())
    (real,) = (r for r in records if r["message"] == "order placed")
    assert shape(real) == shape(shown)
    assert list(real)[:4] == list(shown)[:4]


def shape(tree: object) -> object:
    if isinstance(tree, dict):
        return {key: shape(value) for key, value in tree.items()}
    return type(tree)


def test_the_python_of_a_web_service_runs(tmp_path: Path) -> None:
    found = re.findall(r"```python\n(.*?)```", section("In a web service"), re.DOTALL)
    assert found
    for program in found:
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_the_python_of_metrics_runs_and_shows_what_the_table_names(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", section("Metrics"), re.DOTALL)
    shown = (
        "import flowery_logging; flowery_logging.setup(output='none')\n"
        + program
        + "from starlette.testclient import TestClient\n"
        "print(TestClient(app).get('/metrics').text)"
    )
    command = [sys.executable, "-c", shown]
    text = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    names = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    table = re.findall(r"`((?:http|flowery)_[a-z_]+)`", section("Metrics"))
    assert len(table) > 8
    assert set(table) <= names


def test_the_python_of_structlog_and_loguru_runs(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", section("With structlog and loguru"), re.DOTALL)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_every_setting_is_in_the_table_with_its_variables() -> None:
    table = section("Settings")
    named = set(re.findall(r"`([a-z_]+)`", table))
    arguments = set(inspect.signature(flowery_logging.setup).parameters)
    assert arguments <= named, arguments - named
    variables = {
        name
        for names in config._VARIABLES.values()
        for name in names
        if not name.startswith("OTEL:")
    }
    assert variables <= set(re.findall(r"[A-Z][A-Z_]{5,}", table))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"make ([a-z0-9]+)\b", README))))
def test_make_targets_exist(target: str) -> None:
    if target in {"itself", "them"}:
        pytest.skip("a word of a sentence")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_paths_exist() -> None:
    for path in re.findall(r"`((?:filebeat|examples|tests|bench)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path


def test_the_python_of_personal_data_runs(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", section("Personal data"), re.DOTALL)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    (path,) = (tmp_path / "logs").iterdir()
    records = [json.loads(line) for line in path.read_text().splitlines()]
    call, ordered = (r for r in records if r["log"]["logger"] != "flowery_logging")
    assert call["message"] == "call [redacted:phone]"
    assert call["labels"]["phone"] == ordered["labels"]["phone"]
    assert call["labels"]["phone"].startswith("hmac:")


def test_the_korean_one_has_the_same_examples_commands_and_settings() -> None:
    korean = (ROOT / "README.ko.md").read_text()
    fenced = re.compile(r"^```\w+\n.*?^```$", re.MULTILINE | re.DOTALL)
    assert fenced.findall(korean) == fenced.findall(README)
    commands = re.compile(r"^    (flowery-logging \w+)", re.MULTILINE)
    assert commands.findall(korean) == commands.findall(README)
    assert len(re.findall(r"^## ", korean, re.MULTILINE)) == len(
        re.findall(r"^## ", README, re.MULTILINE)
    )
    for setting in re.findall(r"^\| (`.*?) \|", section("Settings"), re.MULTILINE):
        assert f"| {setting} |" in korean
    for path in re.findall(r"\]\(([\w./]+)", korean):
        assert (ROOT / path).exists(), path
