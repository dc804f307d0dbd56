"""Runs takings.ipynb and prints what its cells show: `make example NAME=notebook`."""

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from examples import running

NOTEBOOK = Path(__file__).with_name("takings.ipynb")


def main() -> None:
    running.begin("notebook")
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # flowery-logging
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=running.WITHIN, kernel_name="python3").execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            print(shown(output), end="")


def shown(output: Any) -> str:
    """Return an output of a cell as text; what stands on stderr the kernel has shown already."""
    if output.output_type == "stream":
        return str(output.text) if output.name == "stdout" else ""
    return f"{output.data['text/plain']}\n"


if __name__ == "__main__":
    main()
