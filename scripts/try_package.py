"""Builds the source distribution and the wheel, and tries the wheel as a stranger would.

For each Python that is found (on PATH, or pyenv's) from 3.10 on: an empty environment gets the
wheel alone and writes events, then its extras, audits the events and shows metrics. With the oldest
of them it is tried again with the lowest versions that pyproject.toml declares.

    python scripts/try_package.py [FOLDER]     the distributions go to FOLDER, by default dist/
"""

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 10)
PROGRAM = """
import asyncio, logging
import flowery_logging
flowery_logging.setup("tried", directory="logs", output="file")
log = flowery_logging.get_logger()
with flowery_logging.continue_trace({}, order_id=7):
    logging.getLogger("shop").info("by logging", extra={"amount": 1.5})
    log.info("by structlog", status="new")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
flowery_logging.ECSFormatter()
"""
METRICS = """
import flowery_logging
from flowery_logging.integrations import prometheus
prometheus.instrument()
flowery_logging.setup("tried", output="none")
assert b"flowery_log_" in prometheus.exposition()[0]
"""
EXTRAS = ("cli", "prometheus")


class WrongPackageError(Exception):
    """A distribution cannot be used as it should be; says what failed."""


def build(folder: Path) -> Path:
    """Build both distributions, the wheel from the source distribution; return the wheel."""
    shutil.rmtree(folder, ignore_errors=True)
    _run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder), cwd=ROOT)
    (source,) = folder.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as unpacked:
        shutil.unpack_archive(source, unpacked, filter="data")
        (tree,) = Path(unpacked).iterdir()
        _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=tree)
    (wheel,) = folder.glob("*.whl")
    return wheel


def pythons() -> dict[tuple[int, ...], str]:
    """Return the interpreters that are here, by their version; one of each minor version."""
    candidates = [sys.executable]
    candidates += filter(None, (shutil.which(f"python3.{minor}") for minor in range(10, 20)))
    candidates += map(str, sorted((Path.home() / ".pyenv/versions").glob("3.*/bin/python3")))
    found: dict[tuple[int, ...], str] = {}
    for path in candidates:
        code = "import sys; print(*sys.version_info[:2])"
        said = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
        version = tuple(map(int, said.stdout.split()))
        if said.returncode == 0 and version >= OLDEST:
            found.setdefault(version, path)
    return dict(sorted(found.items()))


def try_wheel(python: str, wheel: Path, constraints: tuple[str, ...] = ()) -> str:
    """Use the wheel in an empty environment, without and with extras; return what was installed.

    Raises WrongPackageError.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(python, "-m", "venv", str(folder / "venv"), cwd=folder)
        commands = folder / "venv" / "bin"
        pip = [str(commands / "python"), "-m", "pip", "--disable-pip-version-check"]
        program = [str(commands / "python"), "-W", "error", "-c"]
        needs = [need for need in constraints if need.partition("==")[0] not in _optional(wheel)]
        _run(*pip, "install", "--quiet", str(wheel), *needs, cwd=folder)
        _run(*program, PROGRAM, cwd=folder)
        extras = f"{wheel}[{','.join(EXTRAS)}]"
        _run(*pip, "install", "--quiet", extras, *constraints, cwd=folder)
        _run(*program, METRICS, cwd=folder)
        told = _run(str(commands / "flowery-logging"), "audit", "logs", "--grace", "0", cwd=folder)
        if "Nothing is lost" not in told:
            raise WrongPackageError(told)
        return " ".join(_run(*pip, "freeze", cwd=folder).split())


def lowest(wheel: Path) -> Iterator[str]:
    """Return the lowest declared version of each thing that the wheel with its extras needs."""
    for name, version, _ in _needs(wheel):
        yield f"{name}=={version}"


def _optional(wheel: Path) -> set[str]:
    return {name for name, _, extra in _needs(wheel) if extra}


def _needs(wheel: Path) -> Iterator[tuple[str, str, str]]:
    """Return name, lowest version and extra, or no extra, of each thing that the wheel needs."""
    for need in metadata(wheel).get_all("Requires-Dist", []):
        found = re.fullmatch(r"""([\w-]+)>=([\d.]+)(?:; extra == ['"](\w+)['"])?""", need)
        if found is None:
            raise WrongPackageError(f"the wheel's need {need!r} has no lowest version")
        yield found[1], found[2], found[3] or ""


def metadata(wheel: Path) -> Message:
    """Return what the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        return message_from_bytes(archive.read(path))


def _run(*command: str, cwd: Path) -> str:
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise WrongPackageError(f"{' '.join(command)}\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def main() -> int:
    """Build, try, say what was tried; return the exit code."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve()
    try:
        wheel = build(folder)
        print(wheel)
        found = pythons()
        for (major, minor), python in found.items():
            print(f"Python {major}.{minor}: {try_wheel(python, wheel)}")
        oldest = next(iter(found.values()))
        print(f"lowest versions: {try_wheel(oldest, wheel, tuple(lowest(wheel)))}")
    except WrongPackageError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
