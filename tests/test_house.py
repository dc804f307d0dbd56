"""What CONTRIBUTING.md and SECURITY.md say of the house holds: its rooms, its arrows, its files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml

from flowery_logging.capture.structlog_output import Output
from flowery_logging.installation.installation import Installation

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "flowery_logging"
PAGES = {name: (ROOT / name).read_text() for name in ("CONTRIBUTING.md", "SECURITY.md")}
LEAVES = {"cli", "integrations"}


def imported(path: Path) -> set[str]:
    """Return the rooms and modules of the package that a module imports, at once or late."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("flowery_logging.")}
    return {name for name in found if not name.startswith("__")}


def arrows() -> dict[str, set[str]]:
    """Return what each room, and each module beside the rooms, imports of the others."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if not room.startswith("__"):  # the public names, which look them up, and the command
            there = {path.stem for path in PACKAGE.iterdir()}
            found.setdefault(room, set()).update((imported(path) & there) - {room})
    return found


def test_no_arrow_points_back():
    order = [*TopologicalSorter(arrows()).static_order()]  # raises where there is a circle
    assert order.index("redaction") < order.index("ecs") < order.index("capture")


def test_the_rooms_know_only_what_the_map_says():
    found = arrows()
    assert not found["files"] & {"ecs", "capture", "redaction", "runtime"}
    assert not found["ecs"] & {"files", "capture", "context", "runtime"}
    assert not found["capture"] & {"runtime", "wiring", "config"}
    assert found["redaction"] <= {"kept", "late"}
    for room, others in found.items():
        assert room in LEAVES or not others & LEAVES, room


def test_each_room_stands_on_the_map():
    rows = "\n".join(re.findall(r"^\| (.*?) \|", PAGES["CONTRIBUTING.md"], re.MULTILINE))
    named = re.findall(r"`([\w./*]+)`", rows)
    rooms = {f"flowery_logging/{path.name}/" for path in PACKAGE.iterdir() if path.is_dir()}
    folders = (path.parent.name for path in ROOT.glob("*/*") if path.suffix in {".py", ".md"})
    beside = {f"{name}/" for name in folders if not name.startswith(".")}
    assert rooms - {"flowery_logging/__pycache__/"} <= set(named)
    assert beside - {"flowery_logging/"} <= set(named)


def test_the_map_fits_on_one_screen():
    house = PAGES["CONTRIBUTING.md"].split("## The house\n")[1].split("\n## ")[0]
    assert len(house.strip().splitlines()) <= 30


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_are_named_are_there(page):
    text = re.sub(r"```.*?```", "", PAGES[page], flags=re.DOTALL)
    quoted = re.findall(r"`([\w.@*/-]+/[\w.@*/-]*|[\w-]+\.(?:md|py|toml|txt))`", text)
    linked = re.findall(r"\]\(([\w./-]+)\)", text)
    assert quoted
    below = (ROOT, PACKAGE, ROOT / "examples", PACKAGE / ".agents/skills/flowery-logging")
    made = set((ROOT / ".gitignore").read_text().split())
    for path in {*quoted, *linked} - made:
        assert any([*folder.glob(path)] for folder in below), path


def test_the_tests_and_pages_that_the_code_names_are_there():
    named = re.compile(r"(?<![\w./-])(?:tests|docs)/[\w./-]*\.(?:py|md)\b")
    texts = [path.read_text() for path in PACKAGE.rglob("*.py")]
    paths = {path for text in texts for path in named.findall(text)}
    assert paths
    assert not [path for path in sorted(paths) if not (ROOT / path).is_file()]


def test_what_the_workflows_and_the_script_call_is_there():
    targets = set(re.findall(r"^([a-z0-9]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = re.findall(r"^make ([a-z0-9]+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    workflows = [yaml.safe_load(p.read_text()) for p in (ROOT / ".github/workflows").iterdir()]
    steps = [s for w in workflows for job in w["jobs"].values() for s in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    called += [word for line in commands for word in re.findall(r"^make ([a-z0-9]+)", line)]
    assert {"check", "test", "slow", "suites", "e2e", "package"} <= set(called) <= targets
    assert ".ci/run" in commands


def test_what_is_only_looked_at_is_no_any():
    """`Any` switches the checker off: it stands where other libraries' objects are used."""
    found = [
        argument.annotation
        for path in PACKAGE.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for argument in ast.walk(function.args)
        if isinstance(argument, ast.arg) and argument.annotation is not None
    ]
    any_ = [one for one in found if isinstance(one, ast.Name) and one.id == "Any"]
    assert len(any_) / len(found) < 0.05


def test_private_names_of_others_stand_in_one_module():
    reached = re.compile(r"^.*# noqa: .*SLF001(?! - our own).*$", re.MULTILINE)
    found = {path.name for path in PACKAGE.rglob("*.py") if reached.search(path.read_text())}
    assert found == {"foreign.py"}


def test_few_lint_codes_are_ignored_and_each_has_its_reason():
    settings = (ROOT / "pyproject.toml").read_text()
    (listed,) = re.findall(r"^ignore = \[\n(.*?)^\]", settings, re.MULTILINE | re.DOTALL)
    lines = listed.splitlines()
    assert sum(len(re.findall(r'"[A-Z0-9]+"', line)) for line in lines) <= 18
    assert all(re.search(r"#\s+\S", line) for line in lines)


_KEEP_ALL: frozenset[tuple[str, str]] = frozenset(
    {
        (
            "capture/interrupted.py",
            "_formatted",
        ),  # is told of one that is raised once it is written
        ("capture/interrupted.py", "_readable"),
        ("capture/interrupted.py", "_bare_fields"),
        ("integrations/loguru.py", "_take"),  # lets it through once the event is written
        ("integrations/django_checks.py", "_is_ours"),  # of `manage.py check`
    }
)


def broad_handlers(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the function, and the code, of what catches all exceptions, and what suppresses them."""
    tree = ast.parse(path.read_text())
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler) and ast.unparse(node.type or node).startswith(
                ("Exception", "BaseException", "except")
            ):
                yield function.name, "\n".join(map(ast.unparse, node.body))
            elif isinstance(node, ast.Call) and ast.unparse(node) == "suppress(Exception)":
                yield function.name, "suppress"


def test_what_a_signal_handler_raises_is_swallowed_nowhere():
    """Celery's soft time limit is an Exception too: see signalled.py."""
    wrong = {
        (str(path.relative_to(PACKAGE)), name)
        for path in PACKAGE.rglob("*.py")
        if not {"cli", "testing.py"} & {*path.relative_to(PACKAGE).parts}
        for name, code in broad_handlers(path)
        if not re.search(r"\b(let_through|is_let_through|is_ours|raise|Interrupted)\b", code)
    }
    assert wrong == _KEEP_ALL


def test_what_an_installation_puts_in_is_taken_out():
    """Who adds a part, and forgets it in `_parts`, leaves it in other people's code."""
    installation = Installation(lambda: None, Output)
    held = {value for value in vars(installation).values() if hasattr(value, "uninstall")}
    assert held == {*installation._parts}
