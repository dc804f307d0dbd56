"""Gets the suites: source distributions from the package index, kept in the ignored `.cache`."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

from tests.aside import installed_aside
from tests.suites.catalogue import Suite

ROOT: Final = Path(__file__).parents[2]
CACHE: Final = ROOT / ".cache" / "suites"
HELPERS: Final = Path(__file__).with_name("helpers.txt")
"""What the suites import and the library's own tests do not."""


def folder_of(suite: Suite) -> Path:
    """Return the folder in which a suite is run; its source is fetched if it is not there."""
    if not suite.package:
        CACHE.mkdir(parents=True, exist_ok=True)
        return CACHE
    source = CACHE / "sources" / suite.requirement
    if not source.exists():
        _fetch(suite.requirement, source)
    return source / suite.folder


def helpers() -> Path:
    """Return a folder of the packages that the suites need, installed for this interpreter."""
    wanted = ("--no-deps", "--requirement", str(HELPERS))
    return installed_aside("suites-helpers", *wanted, inputs=HELPERS.read_text())


def _fetch(requirement: str, source: Path) -> None:
    """Download and unpack a source distribution; what is there is whole, whatever interrupts."""
    partial = source.with_name(f"{source.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _pip("download", "--no-deps", "--no-binary", ":all:", "--dest", str(partial), requirement)
    (archive,) = partial.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(partial, filter="data")
    (unpacked,) = (path for path in partial.iterdir() if path.is_dir())
    unpacked.rename(source)
    shutil.rmtree(partial)


def _pip(*arguments: str) -> None:
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    subprocess.run((*pip, *arguments), check=True)
