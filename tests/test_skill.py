"""What the wheel tells coding assistants: each block is run, and the form is what they look for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import flowery_logging
from flowery_logging.cli.commands import COMMANDS
from tests.docs import Reader, blocks

SKILLS = Path(flowery_logging.__file__).parent / ".agents" / "skills"
SKILL = SKILLS / "flowery-logging"
PAGES = sorted(SKILL.rglob("*.md"))
ALL = "\n".join(page.read_text() for page in PAGES)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_can_be_followed(page, tmp_path):
    assert [*blocks(page.read_text())]
    Reader(tmp_path).follow(page.read_text())


def test_its_head_is_as_the_specification_of_skills_says():
    head, _, _ = (SKILL / "SKILL.md").read_text().removeprefix("---\n").partition("\n---\n")
    said = yaml.safe_load(head)
    assert said.keys() == {"name", "description"}
    assert said["name"] == SKILL.name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", said["name"])
    assert 0 < len(said["description"]) <= 1024
    assert "Use when" in said["description"]


def test_each_reference_is_linked_and_each_link_leads_somewhere():
    for page in PAGES:
        linked = {page.parent / path for path in re.findall(r"\]\(([\w./-]+)\)", page.read_text())}
        assert all(path.exists() for path in linked)
    text = (SKILL / "SKILL.md").read_text()
    assert all(f"references/{path.name}" in text for path in SKILL.glob("references/*"))


def test_what_it_names_is_there():
    named = re.findall(r"flowery_logging\.(\w+)\(", ALL)
    assert set(named) <= set(flowery_logging.__all__)
    commands = set(re.findall(r"^flowery-logging (\w+)", ALL, re.MULTILINE))
    assert {"tail", "trace", "find", "audit", "doctor"} <= commands <= COMMANDS.keys()


def test_an_assistant_reads_it_in_one_go():
    assert len((SKILL / "SKILL.md").read_text().splitlines()) < 200
