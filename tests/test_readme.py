"""Each claim of the README is run or looked up."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.docs import Reader, blocks
from tests.languages import anchors, links

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
KOREAN = (ROOT / "README.ko.md").read_text()


def section(title: str, page: str = README) -> str:
    return page.split(f"## {title}\n", 1)[1].split("\n## ")[0]


def without(title: str, page: str = README) -> str:
    return page.replace(section(title, page), "")


def run(program: str, directory: Path) -> str:
    """Run a program that names no directory; its logs lie below the given one. Return its output.

    The machine may have the directory of all services.
    """
    return subprocess.run(
        [sys.executable, "-c", program], cwd=directory, check=True, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"FLOWERY_LOG_DIR": str(directory / "logs")},
    ).stdout  # fmt: skip


@pytest.mark.slow
def test_it_can_be_followed(tmp_path: Path) -> None:
    """All but the installation, which tests/test_walk.py does."""
    reader = Reader(tmp_path)
    reader.follow(without("Install"))
    for block in blocks(README):
        if block.title:
            reader.run("python", block.title)


def test_the_two_lines_are_all_that_both_loggers_need(tmp_path: Path) -> None:
    (program,) = (block.text for block in blocks(section("The two lines")) if block.title)
    run(program, tmp_path)
    (path,) = (tmp_path / "logs").iterdir()
    records = [json.loads(line) for line in path.read_text().splitlines()]
    events = [r for r in records if r["log"]["logger"] != "flowery_logging"]
    assert [r["message"] for r in events] == ["주문 생성", "order placed"]
    assert [r["numeric_labels"] for r in events] == [{"order_id": 7}] * 2


def test_how_to_install_it_and_the_two_lines_stand_on_the_first_screen() -> None:
    for page in (README, KOREAN):
        screen = page.split("\n")[:45]
        assert "pip install '.[cli]'" in screen
        assert "import flowery_logging; flowery_logging.setup()" in screen


def test_the_name_of_each_file_stands_in_the_text_too() -> None:
    """Not every place that shows the page shows the title of a block."""
    for page in (README, KOREAN):
        for block in blocks(page):
            before = page.partition(f'title="{block.title}"')[0]
            assert not block.title or f"`{block.title}`" in before


def test_the_shown_line_has_the_keys_of_a_real_one(tmp_path: Path) -> None:
    (shown,) = (json.loads(block.text) for block in blocks(README) if block.language == "json")
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


def test_the_python_of_metrics_runs_and_shows_what_the_table_names(tmp_path: Path) -> None:
    (program,) = (block.text for block in blocks(section("Metrics")))
    shown = (
        "import flowery_logging; flowery_logging.setup()\n"
        + program
        + "flowery_logging.get_logger().info('login', password='hunter2')\n"
        "from starlette.testclient import TestClient\n"
        "print(TestClient(app).get('/metrics').text)"
    )
    names = set(re.findall(r"^# TYPE (\w+)", run(shown, tmp_path), re.MULTILINE))
    page = (ROOT / "docs" / "metrics.md").read_text()
    rows = "\n".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))
    table = set(re.findall(r"`((?:http|flowery)_[a-z_]+)`", rows))
    assert len(table) > 15
    assert table <= names


def test_what_is_said_of_personal_data_is_so(tmp_path: Path) -> None:
    (program,) = (block.text for block in blocks(section("Secrets and personal data")))
    run(program, tmp_path)
    (path,) = (tmp_path / "logs").iterdir()
    records = [json.loads(line) for line in path.read_text().splitlines()]
    call, ordered = (r for r in records if r["log"]["logger"] != "flowery_logging")
    assert call["message"] == "call [redacted:phone]"
    assert call["labels"]["phone"] == ordered["labels"]["phone"]
    assert call["labels"]["phone"].startswith("hmac:")


def test_the_bytes_in_elasticsearch_are_those_that_the_kit_measured() -> None:
    kit = (ROOT / "filebeat" / "README.md").read_text()
    ((everything, _), (_, tuned)) = re.findall(
        r"^\| [^|]+ \| (\d+) \| (\d+) \|$", kit, re.MULTILINE
    )
    assert f"takes {tuned} bytes in Elasticsearch" in README
    assert f"would take\n{everything}:" in README
    assert f"{tuned}바이트" in KOREAN
    assert f"{everything}바이트" in KOREAN


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z0-9]+)\b", README))))
def test_make_targets_exist(target: str) -> None:
    if target in {"itself", "them", "their"}:
        pytest.skip("a word of a sentence")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_extras_exist() -> None:
    extras = set(metadata.metadata("flowery_logging").get_all("Provides-Extra") or ())
    named = set(
        re.findall(r"\[(\w+)\]['\" ]|extra `(\w+)`", section("Install") + section("Metrics"))
    )
    assert {one or other for one, other in named} <= extras


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_paths_and_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for path in re.findall(r"`((?:filebeat|examples|tests|bench)/[\w./-]*)`", page.read_text()):
        assert (ROOT / path).exists(), path
    found = links(page)
    assert len(found) > 30
    for path, anchor in found:
        assert path.exists(), path
        assert not anchor or anchor in anchors(path), (path, anchor)
