"""The audit as people see it: a table that fits, which never hides a loss, and a page to send."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.conftest import flowery, here
from tests.cli.crafted import Written, ago
from tests.cli.fake_elasticsearch import FakeElasticsearch

LONG = "주문-접수-서비스-" * 6


def width_of(line: str) -> int:
    return sum(2 if "가" <= c <= "힣" else 1 for c in line)


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A process of which a line is lost, and one of which two events have one number."""
    for service in ("orders", LONG):
        file = Written(tmp_path, service)
        for _ in range(4):
            file.add(ago(minutes=1))
        file.close()
        lines = file.path.read_bytes().splitlines(keepends=True)
        if service == "orders":
            del lines[2]
        else:
            lines.insert(3, lines[2].replace(b'"event"', b'"another"', 1))
        file.path.write_bytes(b"".join(lines))
    return tmp_path


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_table_fits_and_shows_what_is_lost(damaged: Path, width: int) -> None:
    done = here("audit", damaged, COLUMNS=str(width))
    assert done.exit_code == 1
    head, *rows = done.stdout.splitlines()[:3]
    assert {"service", "process", "events", "lost"} <= set(head.split())
    assert max(map(width_of, (head, *rows))) <= width
    at = head.index("lost") + len("lost")
    assert all(cut(row, at).endswith(" 1") for row in rows)
    assert (width >= 120) == ("start" in head.split())


def cut(row: str, columns: int) -> str:
    """The beginning of a row, so many columns wide."""
    while width_of(row) > columns:
        row = row[:-1]
    return row


def test_a_pipe_is_80_columns_wide_and_says_the_rest_below(damaged: Path) -> None:
    done = flowery("audit", damaged)
    assert max(map(width_of, done.stdout.splitlines()[:3])) <= 80
    assert "lost 3 within orders-" in done.stdout
    assert "different events under one ID 3" in done.stdout
    assert "\x1b" not in done.stdout


def test_what_is_missing_in_elasticsearch_is_never_left_out(
    damaged: Path, elasticsearch: FakeElasticsearch
) -> None:
    done = here(
        "audit", damaged, "--elasticsearch", elasticsearch.url, "--grace", "0", COLUMNS="60"
    )
    head = done.stdout.splitlines()[0]
    assert {"lost", "missing"} <= set(head.split())
    assert width_of(head) <= 60


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update({f"{tag}.{name}": value for name, value in attrs})

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_that_loads_and_runs_nothing(damaged: Path, tmp_path: Path) -> None:
    file = Written(damaged, "<script>alert(1)")
    file.add(ago(minutes=1))
    target = tmp_path / "audit.html"
    done = here("audit", damaged, "--html", target)
    assert done.exit_code == 1
    page = Page(target.read_text(encoding="utf-8"))
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [
        name
        for name in page.attributes
        if ".on" in name or name.endswith((".src", ".href", ".style"))
    ]
    assert "content=\"default-src 'none'; style-src 'sha256-" in target.read_text(encoding="utf-8")
    assert "<script>alert(1)" in page.text
    assert LONG in page.text
    assert "Events were lost." in page.text
    assert "lost 3 within orders-" in page.text


def test_a_page_that_cannot_be_written(damaged: Path) -> None:
    done = here("audit", damaged, "--html", damaged / "none" / "audit.html")
    assert done.exit_code == 2
    assert "cannot write" in done.stderr


@pytest.mark.slow
def test_the_default_directory_and_a_reader_that_goes_away(damaged: Path) -> None:
    assert here("audit", FLOWERY_LOG_DIR=str(damaged)).exit_code == 1
    command = [sys.executable, "-m", "flowery_logging", "audit", str(damaged)]
    shell = ["bash", "-c", '"$@" | true', "bash", *command]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.stderr == ""
