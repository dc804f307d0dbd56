"""Each page for users is there in English and in Korean, and both say the same."""

from itertools import chain
from pathlib import Path

import pytest
import yaml

from tests.languages import (
    DOCS,
    KOREAN,
    ROOT,
    code,
    english,
    figures,
    links,
    outline,
    places,
    twin,
)

ENGLISH = [*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "examples" / "README.md"]
PAIRS = [pytest.param(page, twin(page), id=str(page.relative_to(ROOT))) for page in ENGLISH]


def test_every_page_is_there_in_both_languages():
    missing = [page for page in ENGLISH if not twin(page).exists()]
    alone = [page for page in KOREAN.glob("*.md") if not english(page).exists()]
    assert (missing, alone) == ([], [])


@pytest.mark.parametrize(("page", "korean"), PAIRS)
@pytest.mark.parametrize("part", [outline, code, figures, places])
def test_both_are_built_alike(page, korean, part):
    """The same headings, items, tables and blocks in the same order; the same code and links."""
    assert part(korean) == part(page)


@pytest.mark.parametrize(("page", "korean"), PAIRS)
def test_a_link_stays_in_its_language(page, korean):
    """Each page may lead to its own twin, and to what there is in one language only."""
    in_korean = {path for path, _ in links(korean)} - {page}
    in_english = {path for path, _ in links(page)} - {korean}
    assert [path for path in in_korean if path.suffix == ".md" and twin(path).exists()] == []
    assert [path for path in in_english if english(path) != path] == []


def test_the_pages_stand_in_the_same_order_in_both_languages():
    text = (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2]
    shown = [*listed(yaml.safe_load(text))]
    korean = [Path(path).name for path in shown if path.startswith("ko/")]
    assert [path for path in shown if not path.startswith("ko/")] == korean


def listed(tree):
    """Yield the pages of a navigation."""
    if isinstance(tree, str):
        yield tree
    else:
        below = tree.values() if isinstance(tree, dict) else tree
        yield from chain.from_iterable(map(listed, below))


class TestATwinThatDiffers:
    """What has to be noticed is noticed."""

    @pytest.fixture
    def pages(self, tmp_path):
        def written(first, second):
            (tmp_path / "a.md").write_text(first)
            (tmp_path / "b.md").write_text(second)
            return tmp_path / "a.md", tmp_path / "b.md"

        return written

    @pytest.mark.parametrize(
        ("part", "text", "other"),
        [
            (outline, "## A\n", "### 가\n"),
            (outline, "## A\n* a\n", "## 가\n"),
            (outline, "| a | b |\n", "| 가 |\n"),
            (outline, "```sh\ntrue\n```\n", "```sh\nfalse\n```\n"),
            (outline, "    make demo    # a\n", "    make test    # 가\n"),
            (outline, "<!-- bench: zoo en -->\n", "<!-- bench: aims ko -->\n"),
            (outline, "::: a.b\n", "::: a.c\n"),
            (code, "`setup()`\n", "`shutdown()`\n"),
            (figures, "32 000 bytes\n", "16 000바이트\n"),
            (places, "[x](a.md)\n", "x\n"),
            (places, "# A\n## B\n[x](#b)\n", "# 가\n## 나\n[x](#가)\n"),
        ],
    )
    def test_each_part_counts(self, pages, part, text, other):
        page, korean = pages(text, other)
        assert part(korean) != part(page)

    def test_words_do_not(self, pages):
        text = "# A\n## B b\nsee [x](a.md#b-b), at most 10\n* `a`\n\n<!-- bench: zoo en -->\n"
        other = "# 가\n## 나 나\n* `a`\n\n<!-- bench: zoo ko -->\n"
        page, korean = pages(text, other.replace("* `a`", "[x](b.md#나-나), 10까지\n* `a`"))
        assert outline(korean) == outline(page)
        assert figures(korean) == figures(page)
        assert [number for _, number in places(korean)] == [number for _, number in places(page)]
