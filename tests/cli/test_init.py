"""`flowery-logging init`: a service that exists gets its lines, and logs with them."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from flowery_logging.cli.commands import commands
from tests.cli.conftest import flowery

FASTAPI = '''#!/usr/bin/env python3
"""The orders."""

from __future__ import annotations

import logging

from fastapi import FastAPI

app = FastAPI(
    title="orders",
)
log = logging.getLogger(__name__)


@app.get("/")
def home():
    log.info("home read")
    return "ok"
'''
FACTORY = """# Orders.
from fastapi import FastAPI as API, FastAPI


def create_app():
    app: FastAPI = FastAPI()
    return app
"""
DJANGO = '''"""Settings."""
SECRET_KEY = "x"
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
]
'''


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, ["init", *arguments])
    return done.exit_code, done.output


def records(folder: Path) -> list[dict[str, object]]:
    paths = sorted((folder / "logs").glob("*.ndjson"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def python(folder: Path, code: str) -> None:
    environment = {**os.environ, "FLOWERY_LOG_DIR": str(folder / "logs")}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_fastapi_service_logs_its_requests(tmp_path: Path, end: str) -> None:
    main = tmp_path / "main.py"
    main.write_bytes(FASTAPI.replace("\n", end).encode())
    code, shown = run(str(tmp_path), "--service", "orders")
    assert code == 0
    assert "+flowery_fastapi.instrument(app)" in shown
    assert "nothing was written" in shown
    assert main.read_bytes() == FASTAPI.replace("\n", end).encode()
    assert run(str(tmp_path), "--service", "orders", "--write")[0] == 0
    assert main.read_bytes().count(end.encode()) == main.read_bytes().count(b"\n")
    python(tmp_path, "from fastapi.testclient import TestClient; import main\n"
           "assert TestClient(main.app).get('/').status_code == 200")  # fmt: skip
    named = {r["message"]: r for r in records(tmp_path)}
    assert named["home read"]["trace"] == named["GET / 200"]["trace"]
    assert named["home read"]["service"]["name"] == "orders"  # type: ignore[index]
    again, said = run(str(tmp_path))
    assert (again, "nothing to add" in said) == (0, True)


@pytest.mark.slow
def test_an_application_that_a_function_makes(tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    main.write_text(FACTORY)
    assert run(str(tmp_path), "--write")[0] == 0
    text = main.read_text()
    assert "    app: FastAPI = FastAPI()\n    flowery_fastapi.instrument(app)\n" in text
    assert text.index("flowery_logging.setup") < text.index("from fastapi")
    python(tmp_path, "import main; main.create_app()")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("imports", "call"),
    [
        ("import flowery_logging", "flowery_fastapi.instrument(app)"),
        ("import flowery_logging as fl\nfrom flowery_logging.integrations import fastapi as f", "f.instrument(app)"),
        ("import flowery_logging\nfrom flowery_logging.integrations.fastapi import instrument", "instrument(app)"),
        ("import flowery_logging\nimport flowery_logging.integrations.fastapi as web", "web.instrument(app)"),
        ("import flowery_logging.integrations.fastapi", "flowery_logging.integrations.fastapi.instrument(app)"),
    ],
    ids=["nothing of it", "as", "the function", "module as", "module"],
)  # fmt: skip
def test_a_service_that_is_set_up_already_is_instrumented_by_what_it_imports(
    tmp_path: Path, imports: str, call: str
) -> None:
    main = tmp_path / "main.py"
    main.write_text(f"{imports}\nfrom fastapi import FastAPI\n\napp = FastAPI()\n")
    assert run(str(tmp_path), "--write")[0] == 0
    assert main.read_text().endswith(f"app = FastAPI()\n{call}\n")
    assert "setup(" not in main.read_text()
    python(tmp_path, "import main\nfrom fastapi.testclient import TestClient\n"
           "assert 'x-request-id' in TestClient(main.app).get('/').headers")  # fmt: skip
    assert "nothing to add" in run(str(tmp_path))[1]


@pytest.mark.slow
def test_django_settings(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(DJANGO)
    (tmp_path / "urls.py").write_text("urlpatterns = []\n")
    code, _ = run(str(tmp_path), "--service", "shop", "--write")
    assert code == 0
    python(tmp_path, "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n"
           "import django; django.setup()\nfrom django.core.management import call_command\n"
           "call_command('check', fail_level='WARNING')\nfrom django.test import Client\n"
           "assert Client().get('/nothing').status_code == 404")  # fmt: skip
    assert any(r["message"] == "GET /nothing 404" for r in records(tmp_path))
    assert "nothing to add" in run(str(tmp_path))[1]


def test_django_that_configures_logging_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(f"{DJANGO}LOGGING = {{'version': 1}}\n")
    code, said = run(str(tmp_path), "--write")
    assert code == 0
    assert '"disable_existing_loggers" to False' in said
    assert "LOGGING_CONFIG" not in (tmp_path / "settings.py").read_text()


LOGGING = """{
    "version": 1, "disable_existing_loggers": False, "loggers": {"shop": {"level": "DEBUG"}}
}"""
LEVEL_OF_THE_SHOP = """\
import django
django.setup()
import logging
assert logging.getLogger("shop").level == logging.DEBUG
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "named", "modules"),
    [
        ("settings", "settings.py", {"settings.py": f"{DJANGO}if SECRET_KEY:\n    LOGGING = {LOGGING}\n"}),
        ("settings", "logs.py", {"settings.py": f"{DJANGO}from logs import LOGGING\n", "logs.py": f"LOGGING = {LOGGING}\n"}),
        ("production", "production.py", {"settings.py": DJANGO, "production.py": f"from settings import *\nLOGGING = {LOGGING}\n"}),
    ],
    ids=["in a branch", "imported", "in settings that begin with these"],
)  # fmt: skip
def test_logging_that_django_configures_from_anywhere_goes_on(
    tmp_path: Path, settings: str, named: str, modules: dict[str, str]
) -> None:
    for name, text in modules.items():
        (tmp_path / name).write_text(text)
    _, said = run(str(tmp_path), "--write")
    assert f'{tmp_path / named}: set "disable_existing_loggers" to False' in said
    code = f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = '{settings}'\n{LEVEL_OF_THE_SHOP}"
    python(tmp_path, code)


def test_lists_in_one_line_are_named(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("INSTALLED_APPS = []\nMIDDLEWARE = ['a.B']\n")
    _, said = run(str(tmp_path))
    assert "RequestMiddleware' first into MIDDLEWARE" in said
    assert "LoggingConfig' first into INSTALLED_APPS" in said


def test_nothing_is_found_in_environments_and_tests(tmp_path: Path) -> None:
    for place in (".venv/lib", "venv", "tests", "node_modules"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "main.py").write_text(FASTAPI)
    assert run(str(tmp_path))[0] == 1


@pytest.mark.parametrize(
    "content",
    [
        b"from fastapi import FastAPI as F\napp = F(\n",
        b"import fastapi\nclass:\n",
        b"def main(:\n",
        b"print 'of another time'\n",
        b"name = '\xff'\n",
        b"name = '\0'\n",
    ],
)
def test_a_module_that_cannot_be_read_may_be_the_application(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "main.py").write_bytes(content)
    code, said = run(str(tmp_path))
    assert code == 2
    assert f"{tmp_path / 'main.py'} cannot be read: " in said
    assert "no FastAPI" not in said


@pytest.mark.parametrize(
    ("encoding", "first"),
    [
        ("utf-8-sig", ""),
        ("euc-kr", "# -*- coding: euc-kr -*-\n"),
        ("latin-1", "# coding: latin-1\n"),
    ],
)
def test_a_module_keeps_the_encoding_that_it_says(
    tmp_path: Path, encoding: str, first: str
) -> None:
    main, word = tmp_path / "main.py", "é" if encoding == "latin-1" else "주문"
    main.write_bytes(
        f'{first}from fastapi import FastAPI\napp = FastAPI(title="{word}")\n'.encode(encoding)
    )
    assert run(str(tmp_path), "--service", "orders", "--write")[0] == 0
    written = main.read_bytes().decode(encoding)
    assert "flowery_fastapi.instrument(app)" in written
    assert f'title="{word}"' in written
    compile(main.read_bytes(), "main.py", "exec")
    assert "nothing to add" in run(str(tmp_path))[1]


def test_a_script_that_cannot_be_read_does_not_hide_the_application(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(FASTAPI)
    (tmp_path / "a_script.py").write_text("print 'of another time'\n")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "gone.py").symlink_to(tmp_path / "nothing")
    assert run(str(tmp_path))[0] == 0


@pytest.mark.parametrize(
    ("imports", "made"),
    [
        ("from fastapi import FastAPI as F", "F()"),
        ("from fastapi.applications import FastAPI as Application", "Application()"),
        ("from starlette.applications import Starlette as S", "S()"),
        ("import fastapi as web", "web.FastAPI()"),
    ],
)
def test_an_application_under_another_name(tmp_path: Path, imports: str, made: str) -> None:
    main = tmp_path / "main.py"
    main.write_text(f"{imports}\n\napp = {made}\n")
    assert run(str(tmp_path), "--write")[0] == 0
    assert main.read_text().endswith(f"app = {made}\nflowery_fastapi.instrument(app)\n")
    assert "nothing to add" in run(str(tmp_path))[1]


def test_instrument_under_another_name_is_not_called_twice(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import flowery_logging\nfrom fastapi import FastAPI\n"
        "from flowery_logging.integrations.fastapi import instrument as watch\n\n"
        "app = FastAPI()\nwatch(app)\n"
    )
    assert "nothing to add" in run(str(tmp_path))[1]


def test_a_module_that_is_no_python_is_named(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("app = FastAPI(\n")
    code, said = run(str(tmp_path))
    assert code == 2
    assert "main.py" in said


@pytest.mark.parametrize("sign", ["\f", "\v", "\x1c", "\x85", "\u2028"], ids=ascii)
def test_only_ends_of_lines_end_a_line(tmp_path: Path, sign: str) -> None:
    """As in Python, where a form feed or a separator of Unicode ends none."""
    main = tmp_path / "main.py"
    made = '    app = FastAPI(\n        title="orders",\n    )\n'
    main.write_text(
        f'# a{sign}b\nfrom fastapi import FastAPI\nTEXT = """{sign}"""\n\n\n'
        f"def create_app():\n{made}    return app\n"
    )
    assert run(str(tmp_path), "--write")[0] == 0
    assert f"{made}    flowery_fastapi.instrument(app)\n    return app\n" in main.read_text()
    compile(main.read_bytes(), "main.py", "exec")


@pytest.mark.parametrize(
    ("made", "line", "name"),
    [
        ("def create_app():\n    return FastAPI()\n", 3, "…"),
        ("def create_app(): app = FastAPI(); return app\n", 2, "app"),
        ("if True: app = FastAPI()\n", 2, "app"),
        ("app = FastAPI(); app.state.shop = 1\n", 2, "app"),
    ],
    ids=["returned", "function", "branch", "two statements"],
)
def test_an_application_without_a_line_of_its_own_is_named(
    tmp_path: Path, made: str, line: int, name: str
) -> None:
    main = tmp_path / "main.py"
    main.write_text(f"from fastapi import FastAPI\n{made}")
    code, said = run(str(tmp_path), "--write")
    assert code == 0
    assert f"{main}:{line}: call flowery_fastapi.instrument({name})" in said
    assert main.read_text().endswith(made)
    assert (
        "\nfrom flowery_logging.integrations import fastapi as flowery_fastapi\n"
        in main.read_text()
    )


def test_a_comment_behind_an_application_is_no_statement(tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    main.write_text('from fastapi import FastAPI\napp = FastAPI(title="주문")  # 주문\n')
    assert run(str(tmp_path), "--write")[0] == 0
    assert main.read_text().endswith("  # 주문\nflowery_fastapi.instrument(app)\n")


@pytest.mark.slow
def test_a_locale_that_cannot_show_the_module_is_no_error(tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    main.write_text('from fastapi import FastAPI\napp = FastAPI(title="주문")\n')
    done = flowery("init", tmp_path, "--write", PYTHONIOENCODING="latin-1")
    assert (done.returncode, "\\uc8fc\\ubb38" in done.stdout) == (0, True)
    assert 'title="주문")\nflowery_fastapi.instrument(app)\n' in main.read_text()


@pytest.mark.parametrize("name", ["x" * 257, "a\tb"], ids=["long", "control characters"])
def test_a_service_that_could_not_start_is_not_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "main.py").write_text(FASTAPI)
    code, said = run(str(tmp_path), "--service", name, "--write")
    assert (code, "allowed: a text of 1 to 256 characters" in said) == (2, True)
    assert (tmp_path / "main.py").read_text() == FASTAPI


def test_a_service_is_named_in_a_module_whose_encoding_lacks_its_letters(tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    main.write_bytes("# coding: latin-1\nfrom fastapi import FastAPI\n"
                     "app = FastAPI(title='é')\n".encode("latin-1"))  # fmt: skip
    assert run(str(tmp_path), "--service", "주문", "--write")[0] == 0
    tree = ast.parse(main.read_bytes())
    assert {"주문", "é"} <= {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everything")
def test_a_module_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(FASTAPI)
    (tmp_path / "main.py").chmod(0o444)
    code, said = run(str(tmp_path), "--write")
    assert (code, "main.py cannot be written" in said) == (2, True)
