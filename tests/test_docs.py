"""Each page of docs/ is followed as its reader would; the pages are built without a warning."""

import logging
import os
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest

from flowery_logging.testing import captured
from tests.docs import Reader, blocks

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p for p in PAGES if [*blocks(p.read_text())]], ids=lambda p: p.stem
)
def test_a_page_can_be_followed(page, tmp_path):
    Reader(tmp_path).follow(page.read_text())


def test_a_wrong_block_is_noticed(tmp_path):
    for page in ("```sh\nfalse\n```\n", "```python\n1 / 0\n```\n", "```ruby\nx\n```\n"):
        with pytest.raises(AssertionError):
            Reader(tmp_path).follow(page)
    with pytest.raises(SyntaxError):
        Reader(tmp_path).follow("```py\nwith continue_trace(:\n```\n")


def test_what_a_page_says_of_storage_is_what_the_kit_says():
    measured = re.compile(r"^\| [^|]+ (\| [\d.]+ \| [\d.]+ \|)$", re.MULTILINE)
    kit = measured.findall((ROOT / "filebeat" / "README.md").read_text())
    assert len(kit) == 2
    for page in (DOCS / "storage.md", DOCS / "ko" / "storage.md"):
        assert measured.findall(page.read_text()) == kit


def test_the_signs_that_a_name_of_a_label_loses_are_those_that_the_page_shows():
    with captured() as logs:
        for sign in string.punctuation:
            logging.getLogger("shop").info("%s", sign, extra={f"a{sign}b": 1})
    lost = {log["message"] for log in logs if "a_b" in log["numeric_labels"]} - {"_"}
    for page in (DOCS / "fields.md", DOCS / "ko" / "fields.md"):
        (sentence,) = re.findall(r"^.*`\*`.*`_`.*$", page.read_text(), re.MULTILINE)
        assert set(re.findall(r"`([^\w`])`", sentence)) == lost


@pytest.mark.slow
def test_the_pages_are_built_without_a_warning(tmp_path):
    mkdocs = Path(sys.executable).with_name("mkdocs")
    ran = subprocess.run(
        [mkdocs, "build", "--quiet", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (tmp_path / "site" / "api.html").stat().st_size > 10_000
