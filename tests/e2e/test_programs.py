"""A program is obtained once and whole; a missing tool is named in one sentence."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from .programs import Cache, MissingToolError
from .programs.tools import GO, choose_jdk, find_jdk, require

if TYPE_CHECKING:
    from pathlib import Path


def fake_program(path: Path, says: str) -> Path:
    """A program that prints a line, whatever it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def fake_jdk(home: Path, version: str) -> Path:
    fake_program(home / "bin" / "java", f'openjdk version "{version}" 2025-01-01')
    return home


def test_a_program_is_built_once(tmp_path: Path) -> None:
    built: list[Path] = []

    def build(folder: Path) -> None:
        built.append(folder)
        (folder / "program").write_text("whole")

    cache = Cache(tmp_path / "cache")
    assert (cache.obtain("p-1", build) / "program").read_text() == "whole"
    cache.obtain("p-1", build)
    assert len(built) == 1


def test_a_failed_build_leaves_nothing_and_is_tried_again(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "program").write_text("half")
        raise ConnectionError("the registry hung up")

    cache = Cache(tmp_path)
    with pytest.raises(ConnectionError):
        cache.obtain("p-1", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    cache.obtain("p-1", lambda folder: (folder / "program").touch())
    assert (tmp_path / "p-1" / "program").exists()


def test_what_a_killed_build_left_is_not_taken_for_done_and_goes(tmp_path: Path) -> None:
    (tmp_path / "unfinished-x").mkdir()
    Cache(tmp_path).obtain("p-1", lambda folder: (folder / "program").touch())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "p-1"]


def test_two_runs_at_once_build_once(tmp_path: Path) -> None:
    building = threading.Event()
    built: list[Path] = []

    def build(folder: Path) -> None:
        built.append(folder)
        building.wait(0.3)

    runs = [threading.Thread(target=Cache(tmp_path).obtain, args=("p", build)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(built) == 1


def test_the_cache_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWERY_E2E_CACHE", str(tmp_path))
    assert Cache.from_environment().folder == tmp_path


def test_an_old_jdk_is_passed_over(tmp_path: Path) -> None:
    homes = [fake_jdk(tmp_path / "17", "17.0.15"), fake_jdk(tmp_path / "21", "21.0.2")]
    assert choose_jdk([tmp_path / "missing", *homes]) == homes[1]


def test_without_a_new_jdk_the_newest_found_is_named(tmp_path: Path) -> None:
    homes = [fake_jdk(tmp_path / "a", "11.0.2"), fake_jdk(tmp_path / "b", "17.0.15")]
    with pytest.raises(MissingToolError) as caught:
        choose_jdk(homes)
    assert str(caught.value) == (
        "The end-to-end tests need a JDK 21 or newer, but the one at "
        f"{homes[1]} is 17: install one and set FLOWERY_JAVA_HOME or JAVA_HOME to its folder."
    )


def test_no_jdk_at_all(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="a JDK 21 or newer, but none was found"):
        choose_jdk([tmp_path])


def test_the_named_jdk_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_jdk(tmp_path / "other", "25")))
    monkeypatch.setenv("FLOWERY_JAVA_HOME", str(fake_jdk(tmp_path / "named", "22")))
    assert find_jdk() == tmp_path / "named"


@pytest.mark.parametrize(
    ("says", "state"),
    [
        ("go1.22.3", "is 1.22.3"),
        ("devel", "does not tell its version"),
    ],
)
def test_a_go_that_will_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, state: str
) -> None:
    fake_program(tmp_path / "go", says)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match=rf"need Go 1\.23 or newer, but .*{state}.*the PATH"):
        require(GO)


def test_no_go_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match=r"need Go .* but none was found"):
        require(GO)


def test_a_new_go_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = fake_program(tmp_path / "go", "go1.24.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert require(GO) == str(go)
