"""Tells lines that were written twice from different events that have one number.

A repeated line is harmless: its ID is the same, and Elasticsearch keeps one document of it. Where
two events have one ID, it keeps one of them and refuses the other: that one is lost.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from hashlib import blake2b

from flowery_logging.cli.audit.account import ProcessAccount
from flowery_logging.files.reader import Kind, LogFile, read

DIGEST_BYTES = 16


def tell_clashes(process: ProcessAccount) -> None:
    """Look at the lines of repeated numbers once more, and note those that differ.

    Memory grows with the number of repeated lines. Raises OSError if a file cannot be read.
    """
    lines: dict[int, Counter[bytes]] = defaultdict(Counter)
    for file in process.files:
        if file.numbers & process.repeated:
            _collect(process, file.file, lines)
    for number, digests in lines.items():
        if len(digests) > 1:
            process.clash(number, digests.total(), len(digests))


def _collect(process: ProcessAccount, file: LogFile, lines: dict[int, Counter[bytes]]) -> None:
    for line in read(file):
        if (
            line.kind is Kind.EVENT
            and line.entity == process.entity
            and line.sequence in process.repeated
        ):
            lines[line.sequence][blake2b(line.data, digest_size=DIGEST_BYTES).digest()] += 1
