"""The files that are made from others are what the generator makes now."""

from __future__ import annotations

from pathlib import Path

from flowery_logging.cli.kit.files import kit_folder
from scripts.generate_kit import generated

KIT = Path(__file__).resolve().parents[2] / "filebeat"


def test_generated_files_are_up_to_date() -> None:
    texts = generated(kit_folder())
    for relative, text in texts.items():
        assert (KIT / relative).read_text() == text, f"{relative}: python -m scripts.generate_kit"


def test_no_generated_file_is_left_over() -> None:
    there = {path.relative_to(KIT) for path in (KIT / "opensearch").rglob("*") if path.is_file()}
    assert there <= set(generated(kit_folder()))
