"""The pages show what the saved results say, and say so clearly if there is nothing to show."""

import copy
import json
import re
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from unicodedata import east_asian_width
from xml.etree import ElementTree as ET

import pytest

from bench import everything, plot, published, report, results as saved, tables, words
from bench.aims import STDLIB, aims
from bench.contenders import GROUPS
from bench.everything import Part
from bench.results import ResultsError
from bench.words import LANGUAGES, Words, WordsError

ROOT = Path(__file__).parents[1]
SVG = "{http://www.w3.org/2000/svg}"
FOUND = json.loads(published.RESULTS.read_text())


def results(tree=FOUND):
    return saved.Results(tree, "results.json")


def test_the_pages_and_the_plot_are_what_the_results_say():
    assert published.outdated() == [], "run `python -m bench.published`"


def test_other_results_make_other_pages(tmp_path):
    changed = copy.deepcopy(FOUND)
    changed["events"]["groups"]["an event"][STDLIB]["cpu_ratio"] = 777.125
    changed["zoo"]["no fields"][STDLIB] = 777.125
    (tmp_path / "r.json").write_text(json.dumps(changed))
    pages = {*published.PLOTS.values(), *published.PAGES}
    assert set(published.outdated(tmp_path / "r.json")) == pages


def test_the_pages_show_every_piece_and_both_readmes_say_where_it_was_measured():
    pages = [path.read_text() for path in published.PAGES]
    shown = {name for page in pages for name in re.findall(r"<!-- bench: (.+?) -->", page)}
    assert shown == set(tables.pieces(results()))
    for page in pages[:2]:
        for fact in ("python", "processor", "system"):
            assert FOUND["events"][fact] in page
        assert FOUND["events"]["when"][:10] in page


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_group_is_shown_with_all_its_contenders(language):
    say = Words().say(language)
    for group in GROUPS:
        table = tables.pieces(results())[f"{group} {language}"]
        assert all(say(name) in table for name in FOUND["events"]["groups"][group])


@pytest.mark.parametrize("path", ["docs/speed.md", "docs/ko/speed.md"])
def test_what_the_page_names_is_there(path):
    page = (ROOT / path).read_text()
    paths = re.findall(r"`((?:bench|tests)/[\w./]+)`", page)
    modules = re.findall(r"python -m (bench[\w.]*)", page)
    assert paths
    assert modules
    assert all((ROOT / path).exists() for path in paths)
    assert all(find_spec(module) for module in modules)


def test_without_valgrind_the_pages_say_so():
    pieces = tables.pieces(results({**FOUND, "instructions": None}))
    for piece in ("instructions", "steps"):
        assert "valgrind was not installed" in pieces[f"{piece} en"]
        assert "valgrind가 설치되어 있지 않았습니다" in pieces[f"{piece} ko"]


class TestWords:
    def test_a_piece_has_the_same_numbers_in_both_languages(self):
        pieces = tables.pieces(results())
        for name in {name.rpartition(" ")[0] for name in pieces}:
            texts = [pieces[f"{name} {language}"] for language in LANGUAGES]
            english, korean = (sorted(re.findall(r"\d+(?:[.,]\d+)*", text)) for text in texts)
            assert korean == english, name

    def test_a_text_without_korean_is_named_and_nothing_is_written(self, tmp_path, monkeypatch):
        korean = tmp_path / "korean.yml"
        korean.write_text(words.KOREAN.read_text().replace("  at the end:", "  at an end:"))
        monkeypatch.setattr(published, "Words", lambda: Words(korean))
        with pytest.raises(WordsError, match=r"korean.yml has no Korean for 'at the end'"):
            published.contents()

    def test_korean_that_nothing_says_any_more_is_found(self):
        used = Words()
        for found in (FOUND, {**FOUND, "instructions": None}):
            tables.pieces(results(found), used)
        plot.draw(results(), used.korean)
        for name in (one.name for group in GROUPS.values() for one in group):
            used.korean(name)  # one that was not installed may be missing from the results
        assert used.unused() == set()


def test_the_versions_of_all_that_is_measured_are_in_the_report():
    for requirement in metadata.requires("flowery_logging") or ():
        name, _, condition = requirement.partition(";")
        if "extra" not in condition or re.search(r"extra == .bench.", condition):
            assert re.split(r"[<>=! ]", name)[0] in report.PACKAGES


class TestBadResults:
    @pytest.mark.parametrize(
        ("text", "what"),
        [
            (None, "is not there"),
            ("{", "is no JSON"),
            ("[]", "is no JSON object"),
            ("{}", "events is missing"),
        ],
    )
    def test_a_file_that_holds_none(self, tmp_path, text, what):
        path = tmp_path / "some.json"
        if text is not None:
            path.write_text(text)
        with pytest.raises(ResultsError, match=f"some.json.*{what}.*make bench"):
            published.contents(path)

    @pytest.mark.parametrize("value", ["fast", None, True, -1, float("nan"), float("inf"), [2.5]])
    def test_a_number_that_is_none(self, value):
        tree = copy.deepcopy(FOUND)
        tree["events"]["groups"]["an event"][STDLIB]["us"] = value
        with pytest.raises(ResultsError, match=f"an event → {STDLIB} → us"):
            tables.pieces(results(tree))

    @pytest.mark.parametrize("part", [part.name for part in everything.PARTS])
    def test_a_part_that_is_missing(self, part):
        tree = {name: found for name, found in FOUND.items() if name != part}
        with pytest.raises(ResultsError, match=part):
            tables.pieces(results(tree))

    def test_too_few_readings_of_memory(self):
        tree = copy.deepcopy(FOUND)
        tree["memory"]["resident_kib"]["ordinary events"] = [30_000]
        with pytest.raises(ResultsError, match="ordinary events is too short a list"):
            tables.pieces(results(tree))

    def test_a_contender_that_is_no_longer_one(self):
        tree = copy.deepcopy(FOUND)
        group = tree["events"]["groups"]["an event"]
        group["a logger of old"] = group[STDLIB]
        with pytest.raises(ResultsError, match=r"a logger of old.*now unknown"):
            tables.pieces(results(tree))

    def test_an_aim_is_reached_as_far_as_the_shown_digits_tell(self):
        tree = copy.deepcopy(FOUND)
        event = tree["events"]["groups"]["an event"][STDLIB]
        crowd = tree["crowd"]["events_a_second"]["processes: 4, threads in each: 1"]
        crowd["concurrent-log-handler, ecs-logging"] = 1000
        for ratio, rate, reached in ((0.754, 7_996, True), (0.756, 7_994, False)):
            event["cpu_ratio"] = ratio
            crowd.update({name: rate for name in crowd if "flowery" in name})
            found = {aim.text: aim.reached for aim in aims(results(tree))}
            assert found["an event through `logging`: at most 0.75"] is reached
            assert [r for text, r in found.items() if "processes: 4" in text] == [reached]

    @pytest.mark.parametrize("name", [STDLIB, GROUPS["an event"][0].name])
    def test_a_contender_that_must_not_be_missing(self, name):
        tree = copy.deepcopy(FOUND)
        del tree["events"]["groups"]["an event"][name]
        with pytest.raises(ResultsError, match="lacks"):
            tables.pieces(results(tree))

    def test_nothing_is_written_then(self, tmp_path):
        before = [path.read_text() for path in (*published.PAGES, *published.PLOTS.values())]
        program = [sys.executable, "-m", "bench.published", "--results", str(tmp_path / "r.json")]
        done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (2, "r.json is not there; run `make bench`\n")
        assert [
            path.read_text() for path in (*published.PAGES, *published.PLOTS.values())
        ] == before


class TestMarks:
    def test_only_what_stands_between_them_is_replaced(self):
        page = "# Title\n<!-- bench: a -->\nold\nold\n<!-- /bench -->\ntext\n"
        new = "# Title\n<!-- bench: a -->\n\\1 new\n<!-- /bench -->\ntext\n"
        assert published.filled(page, {"a": "\\1 new"}) == new
        assert published.filled(new, {"a": "\\1 new"}) == new

    def test_an_unknown_one_is_named(self):
        with pytest.raises(ResultsError, match="'b'"):
            published.filled("<!-- bench: b -->\n<!-- /bench -->", {"a": ""})

    @pytest.mark.parametrize(
        "page",
        [
            "<!-- bench: a -->\n",
            "<!-- /bench -->\n",
            "<!-- bench: a -->\n<!-- bench: a -->\n<!-- /bench -->\n",
        ],
    )
    def test_one_without_its_end_is_refused(self, page):
        with pytest.raises(ResultsError, match="mark"):
            published.filled(page, {"a": ""})


class TestPlot:
    @pytest.fixture(params=LANGUAGES)
    def say(self, request):
        return Words().say(request.param)

    @pytest.fixture
    def svg(self, say):
        return ET.fromstring(plot.draw(results(), say))

    def texts(self, svg):
        return [element.text for element in svg.iter(f"{SVG}text")]

    def test_it_has_a_text_alternative_with_all_numbers(self, svg, say):
        title, said = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
        assert svg.get("role") == "img"
        assert title is not None
        assert title.text
        assert said is not None
        for group in plot.GROUPS:
            for name, row in FOUND["events"]["groups"][group].items():
                assert f"{say(name)}: {row['cpu_ratio']:.2f}" in str(said.text)
                assert say(name) in self.texts(svg)

    def test_bars_are_as_long_as_their_ratios_and_end_at_the_line_for_one(self, svg):
        for group, line in zip(plot.GROUPS, svg.iter(f"{SVG}line"), strict=True):
            top, bottom = float(line.get("y1", 0)), float(line.get("y2", 0))
            one = float(line.get("x1", 0)) - plot.LEFT
            lengths = [
                float(bar.get("width", 0))
                for bar in svg.iter(f"{SVG}rect")
                if bar.get("class") != "page" and top < float(bar.get("y", 0)) < bottom
            ]
            found = [row["cpu_ratio"] for row in FOUND["events"]["groups"][group].values()]
            assert lengths == pytest.approx([ratio * one for ratio in sorted(found)], abs=0.5)

    def test_nothing_leaves_the_picture(self, svg):
        width, height = float(svg.get("width", 0)), float(svg.get("height", 0))
        for bar in svg.iter(f"{SVG}rect"):
            assert float(bar.get("x", 0)) + float(bar.get("width", 0)) <= width
            assert float(bar.get("y", 0)) + float(bar.get("height", 0)) <= height

    def test_a_name_leaves_room_for_itself(self, svg):
        for text in svg.iter(f"{SVG}text"):
            if str(text.get("class")).startswith("name"):
                wide = sum(1 if east_asian_width(one) in "WF" else 0.52 for one in str(text.text))
                assert 13 * wide < float(text.get("x", 0)), text.text

    def test_it_has_colours_for_a_dark_page(self, svg):
        assert "prefers-color-scheme: dark" in str(svg.findtext(f"{SVG}style"))


class TestEverything:
    @pytest.mark.slow
    def test_parts_are_put_together_and_what_is_left_out_is_named(self, monkeypatch, capfd):
        short = Part("startup", "bench.startup", "import", (), ("--rounds", "1"))
        never = Part("instructions", "bench.instructions", "instructions", (), None)
        monkeypatch.setattr(everything, "PARTS", (short, never))
        found, code = everything._measure(quick=True)
        assert code == 0
        assert found["startup"]["import logging"]["ms"] > 0
        assert found["instructions"] is None
        said = capfd.readouterr().out
        assert "=== 1 of 2: import" in said
        assert "left out: quick" in said

    def test_a_part_that_fails_ends_it(self, monkeypatch):
        monkeypatch.setattr(everything, "PARTS", (Part("no", "bench.none", "none", (), ()),))
        with pytest.raises(subprocess.CalledProcessError):
            everything._measure(quick=True)
