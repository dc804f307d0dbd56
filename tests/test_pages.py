"""Tables and pictures that are made from the code are what the code says."""

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from flowery_logging import config
from flowery_logging.config.variables import KEYS
from scripts import draw_way, pages, settings_table
from scripts.marks import MarksError, filled
from scripts.settings_table import Words, WordsError

ROOT = Path(__file__).resolve().parents[1]
SVG = "{http://www.w3.org/2000/svg}"


def test_the_pages_and_pictures_are_what_their_sources_say():
    assert pages.outdated() == [], "run `make pages`"


def test_every_piece_is_shown_somewhere():
    assert pages.unused() == set()


def test_a_page_that_differs_is_named(tmp_path, monkeypatch, capsys):
    changed = tmp_path / "README.md"
    changed.write_text((ROOT / "README.md").read_text().replace("`FLOWERY_LOG_LEVEL`", "`X`"))
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(pages, "PAGES", (changed,))
    monkeypatch.setattr(pages, "PICTURES", {"en": tmp_path / "way.svg"})
    assert pages.main(["--check"]) == 1
    assert capsys.readouterr().err.split("\n")[:2] == [
        "way.svg: run `make pages`",
        "README.md: run `make pages`",
    ]
    assert pages.main([]) == 0
    assert pages.main(["--check"]) == 0


class TestSettings:
    @pytest.fixture
    def words(self, tmp_path):
        """Return what writes other words than those of settings.yml."""

        def written(change):
            found = yaml.safe_load(settings_table.WORDS.read_text())
            change(found)
            path = tmp_path / "settings.yml"
            path.write_text(yaml.safe_dump(found))
            return Words(path)

        return written

    def test_a_setting_without_words_is_named(self, words):
        with pytest.raises(WordsError, match=r"differ by .*flood"):
            words(lambda found: found["settings"].pop("flood"))

    def test_words_without_a_setting_are_named(self, words):
        with pytest.raises(WordsError, match=r"differ by .*colour"):
            words(lambda found: found["settings"].update(colour={}))

    def test_what_is_allowed_needs_its_korean(self, words):
        found = words(lambda tree: tree["allowed"].clear())
        (said,) = settings_table.allowed("flood", found)
        with pytest.raises(WordsError, match="no Korean for 'how many equal events"):
            found.korean(said)

    def test_korean_that_nothing_says_any_more_is_found(self, words):
        found = words(lambda tree: tree["allowed"].update(old="옛것"))
        assert "old" in found.unused(set())

    def test_a_wrong_value_that_is_accepted_is_named(self, words):
        found = words(lambda tree: tree["settings"]["level"].update(wrong=["INFO"]))
        with pytest.raises(WordsError, match="level: 'INFO' is said to be wrong"):
            list(settings_table.allowed("level", found))

    def test_the_defaults_are_those_of_a_process_without_any(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        found = config.resolve({}, {})
        table = {name: settings_table.default(name, Words(), "en") for name in Words().settings}
        assert (table["max_bytes"], found.max_bytes) == ("`64MB`", 64 * 1024**2)
        assert (table["max_age"], found.max_age) == ("`1d`", 86_400)
        assert (table["keep_bytes"], found.keep_bytes) == ("`1GB`", 1024**3)
        assert (table["keep_days"], found.keep_days) == ("`7`", 7)
        off = {name for name, said in table.items() if said == "`OFF`"}
        assert off == {"flood", "sample", "flight_recorder"}
        assert not any(getattr(found, name) for name in off)
        none = {name for name, said in table.items() if said == "none"} - set(KEYS)
        assert none >= {"version", "environment", "redact", "fields"}
        assert not any(getattr(found, name) for name in none)
        on = {name for name, said in table.items() if said == "`True`"}
        assert on == {name for name in table if name.startswith("capture_")}
        assert all(getattr(found, name) is True for name in on)


ACCEPTED = """
import json, os, sys
import flowery_logging
from flowery_logging import runtime

def set_up(**arguments):
    flowery_logging.setup(**arguments)
    found = runtime.current_config()
    flowery_logging.shutdown()
    return found

for name, argument, variable, value in json.loads(sys.argv[1]):
    given = {name: eval(argument)} if argument else {}
    by_argument = set_up(**given)
    if variable is not None:
        os.environ[variable] = value
        by_variable = set_up()
        if argument:
            assert by_variable.sources[name] == variable, name
            one = "outputs" if name == "output" else name
            assert getattr(by_variable, one) == getattr(by_argument, one), name
            del os.environ[variable]
"""


def examples(page):
    """Return the examples of a page's tables: setting, argument, variable, its value."""
    for row in re.findall(r"^\| `.*\|$", page, re.MULTILINE):
        cells = re.split(r"(?<!\\) \| ", row.strip("| "))
        setting = re.findall(r"`([^`]+)`", cells[0])[0]
        shown = re.findall(r"`([^`]+)`", cells[-1])
        argument, variable, value = None, None, None
        for text in shown:
            name, _, given = text.partition("=")
            if name == setting and not name.isupper():
                argument = given
            else:
                variable, value = name, given
        yield setting, argument, variable, value


@pytest.mark.slow
@pytest.mark.parametrize("path", ["docs/settings.md", "docs/ko/settings.md"])
def test_every_example_of_the_settings_is_accepted(tmp_path, path):
    found = list(examples((ROOT / path).read_text()))
    found.sort(key=lambda one: one[0] not in KEYS)  # the pseudonyms need their key
    assert {name for name, *_ in found} == Words().settings.keys()
    for name, text in settings_table.files(Words()).items():
        (tmp_path / name).write_text(text)
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("FLOWERY_", "OTEL_", "ELAS"))}
    command = [sys.executable, "-c", ACCEPTED, json.dumps(found)]
    ran = subprocess.run(
        command, cwd=tmp_path, env=kept, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "WARNING" not in ran.stderr
    assert {name for name, _, variable, _ in found if variable is None} == {"processors"}


class TestPicture:
    @pytest.fixture(params=draw_way.LANGUAGES)
    def svg(self, request):
        return ET.fromstring(draw_way.draw(request.param))

    def test_it_is_said_in_words_too(self, svg):
        said = str(svg.findtext(f"{SVG}desc"))
        assert svg.get("role") == "img"
        assert svg.findtext(f"{SVG}title")
        for name in ("log.info", "flowery_logging", "Filebeat", "Elasticsearch", "Kibana"):
            assert name in said

    def test_it_has_colours_for_a_dark_page_and_one_of_its_own(self, svg):
        assert "prefers-color-scheme: dark" in str(svg.findtext(f"{SVG}style"))
        page = svg.find(f"{SVG}rect[@class='page']")
        assert page is not None
        assert (page.get("width"), page.get("height")) == (svg.get("width"), svg.get("height"))

    def test_nothing_leaves_the_picture_and_no_box_lies_on_another(self, svg):
        boxes = [
            (float(box.get("x", 0)), float(box.get("x", 0)) + float(box.get("width", 0)))
            for box in svg.iter(f"{SVG}rect")
            if box.get("class") != "page"
        ]
        assert boxes == sorted(boxes)
        assert all(end < start for (_, end), (start, _) in pairwise(boxes))
        assert boxes[-1][1] < float(svg.get("width", 0))
        assert all(
            float(text.get("y", 0)) < float(svg.get("height", 0)) for text in svg.iter(f"{SVG}text")
        )

    def test_a_text_that_does_not_fit_is_named(self, tmp_path):
        source = draw_way.SOURCE.read_text().replace("ships the", "ships whatever it has found")
        (tmp_path / "way.yml").write_text(source)
        with pytest.raises(draw_way.TooWideError, match="ships whatever"):
            draw_way.draw("en", tmp_path / "way.yml")


class TestMarks:
    def test_only_the_marks_of_one_kind_are_filled(self):
        page = "<!-- a: x -->\nold\n<!-- /a -->\n<!-- b: x -->\nkept\n<!-- /b -->\n"
        assert filled(page, "a", {"x": "new"}) == page.replace("old", "new")

    @pytest.mark.parametrize(
        "page", ["<!-- a: x -->\n", "<!-- /a -->\n", "<!-- a: y -->\n<!-- /a -->"]
    )
    def test_a_wrong_mark_is_an_error(self, page):
        with pytest.raises(MarksError):
            filled(page, "a", {"x": "new"})
