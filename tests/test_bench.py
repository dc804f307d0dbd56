"""The measurements run, say who was measured, and give every contender the same event."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import asgi, beside, event, instructions, steps, zoo
from bench.contenders import GROUPS, by_name

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


def bench(*arguments, module="bench"):
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("bench")
    options = ("--rounds", 2, "--events", 20, "--json", root / "r.json", "--directory", root / "d")
    done = bench(*options)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((root / "r.json").read_text()), root / "d"


def measured(run):
    return {name: row for group in run[1]["groups"].values() for name, row in group.items()}


def test_every_contender_is_in_the_table_or_named_as_left_out(run):
    table, _, _ = run
    for contenders in GROUPS.values():
        for contender in contenders:
            assert contender.name in table


def test_the_reference_of_each_group_has_the_ratio_one(run):
    _, results, _ = run
    for name, group in results["groups"].items():
        assert group[GROUPS[name][0].name]["ratio"] == 1.0


def test_only_the_silent_write_nothing(run):
    silent = {name for name, row in measured(run).items() if row["bytes"] == 0}
    below_level = {one.name for one in GROUPS["a debug event below the level"]}
    not_logged = {one.name for one in GROUPS["an ASGI request without a line"]}
    assert silent == below_level | not_logged | {"stdlib NullHandler (writes nothing)"}


FIELDS = (event.ORDER, event.CUSTOMER, event.TRACE_ID, event.REQUEST_ID, "12.5", "order_id")


def test_all_who_write_fields_write_the_same_ones(run):
    for name in {*run[1]["groups"]["an event"], "flowery_logging, get_logger().bind"}:
        if "NullHandler" not in name:
            wanted = FIELDS[:1] if name.endswith("plain text") else FIELDS
            lines = written(run[2], name)[-2:]  # the last one may be a closing record
            assert any(all(text in line for text in wanted) for line in lines), (name, lines)


IDS = {  # what the lines of an ASGI request have; the others have the request ID
    "OpenTelemetry, uvicorn access log, ecs-logging": {event.TRACE_ID},
    "correlation ID, access fields by hand, ecs-logging": {asgi.REQUEST_ID, event.TRACE_ID},
    "flowery_logging, RequestMiddleware": {asgi.REQUEST_ID, event.TRACE_ID},
}


def test_the_lines_of_a_request_have_the_ids_that_are_said(run):
    for name in run[1]["groups"]["an ASGI request with its access event"]:
        if name != "the application alone (logs nothing)":
            line = next(line for line in written(run[2], name) if "/orders/7" in line)
            found = {one for one in (asgi.REQUEST_ID, event.TRACE_ID) if one in line}
            assert found == IDS.get(name, {asgi.REQUEST_ID}), (name, line)


def test_exceptions_have_all_their_frames(run):
    for name in run[1]["groups"]["an event with an exception of 20 frames"]:
        text = "\n".join(written(run[2], name))
        events = text.count(", in _failure")
        assert text.count(", in _call") == (event.FRAMES - 1) * events > 0, name


def written(files, name):
    """The lines of the one file that a contender has written."""
    (file,) = (path for path in (files / by_name(name).slug).iterdir() if "lock" not in path.name)
    return file.read_text().splitlines()


def test_a_name_that_nobody_has_is_refused(tmp_path):
    done = bench("--only", "nobody", "--json", tmp_path / "r.json")
    assert done.returncode == 2
    assert "'nobody'" in done.stderr
    assert not (tmp_path / "r.json").exists()


def test_only_measures_what_was_named_beside_the_reference(tmp_path):
    options = ("--rounds", 1, "--events", 5, "--json", tmp_path / "r.json")
    done = bench("--only", "flowery_logging, stdlib, debug", *options)
    assert done.returncode == 0, done.stderr
    groups = json.loads((tmp_path / "r.json").read_text())["groups"]
    group = ["stdlib, debug", "flowery_logging, stdlib, debug"]
    assert {name: list(rows) for name, rows in groups.items()} == {
        "a debug event below the level": group
    }


def test_a_package_that_is_missing_is_named(tmp_path):
    (tmp_path / "loguru.py").write_text("raise ModuleNotFoundError(name='loguru')")
    program = (
        f"import os, sys; os.environ['PYTHONPATH'] = {str(tmp_path)!r}; "
        "from bench.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    options = ["--only", "loguru", "--rounds", "1", "--events", "5", "--json", tmp_path / "r.json"]
    command = [sys.executable, "-c", program, *map(str, options)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "left out: loguru serialize (loguru is not installed)" in done.stdout


def test_startup_counts_what_setup_imports(tmp_path):
    done = bench("--rounds", 1, "--json", tmp_path / "s.json", module="bench.startup")
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "s.json").read_text())
    reference, *_ = rows.values()
    ours = next(row for program, row in rows.items() if "setup(" in program)
    assert reference["ratio"] == 1.0
    assert ours["modules"] > reference["modules"] > 50


def test_crowds_write_at_once(tmp_path):
    options = ("--rounds", 1, "--events", 80, "--json", tmp_path / "c.json")
    done = bench(*options, module="bench.crowd")
    assert done.returncode == 0, done.stderr
    rates = json.loads((tmp_path / "c.json").read_text())["events_a_second"]
    assert len(rates) == 3
    assert all(rate > 0 for setting in rates.values() for rate in setting.values())


def test_memory_is_read_ten_times_in_each_way(tmp_path):
    options = ("--events", 500, "--json", tmp_path / "m.json")
    done = bench(*options, module="bench.memory")
    assert done.returncode in {0, 1}, done.stderr  # so few events do not fill the caches
    readings = json.loads((tmp_path / "m.json").read_text())["resident_kib"]
    assert len(readings) == 6
    assert all(len(found) == 10 and min(found) > 5000 for found in readings.values())


STEPS_APART = """
import json, sys, tempfile
from pathlib import Path
from bench import steps
written, way = [], sys.argv[1]
with tempfile.TemporaryDirectory() as directory:
    for run in steps.runs(way, Path(directory)):
        run(20)
        before = sum(path.stat().st_size for path in Path(directory).iterdir())
        run(20)
        written.append(sum(path.stat().st_size for path in Path(directory).iterdir()) - before)
print(json.dumps(written))
"""


@pytest.mark.parametrize("way", steps.WAYS)
def test_each_step_of_an_event_does_more_than_the_one_before(way):
    command = [sys.executable, "-c", STEPS_APART, way]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    written = json.loads(done.stdout)
    assert len(written) == len(steps.WAYS[way])
    assert written[-1] > max(written[:-1])
    assert written == sorted(written)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_instructions_are_counted_by_step():
    found = instructions.by_step("flowery_logging, get_logger", events=100)
    assert list(found) == list(steps.WAYS["flowery_logging, get_logger"])
    assert all(count > 500 for count in found.values()), found


def test_instructions_without_valgrind_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert instructions.main(["--json", str(tmp_path / "i.json")]) == 2
    assert "valgrind is not installed" in capsys.readouterr().err
    assert not (tmp_path / "i.json").exists()


def test_what_others_cost_our_events_is_measured(tmp_path):
    options = ("--rounds", 1, "--events", 5, "--json", tmp_path / "beside.json")
    done = bench(*options, module="bench.beside")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "beside.json").read_text())
    assert found.keys() == {beside.ALONE, *beside.SETTINGS}
    for ways in found.values():
        assert ways.keys() == set(beside.WAYS)
        assert all(0 < row["more"] <= row["worst"] for row in ways.values())
    assert found[beside.ALONE][zoo.PLAIN]["plain"] == 1.0


def test_the_zoo_is_measured_in_full(tmp_path):
    options = ("--rounds", 1, "--events", 5, "--shapes", "all", "--burst", 20, "--bound", 8)
    done = bench(*options, "--json", tmp_path / "zoo.json", module="bench.zoo")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "zoo.json").read_text())
    assert found.keys() == {*zoo.SHAPES, *zoo.TEXTS, *zoo.SECRETS}
    for shape, row in found.items():
        assert row.keys() == set(zoo.EVERYONE)
        assert row[zoo.PLAIN] == 1.0
        assert f"| {shape} |" in done.stdout
