"""`python -m bench.look`: what `trace`, `find`, `tail` and `audit` take, beside grep and jq.

Three services log requests to many real files; then each command runs in turn, all of them in each
round, on files that lie in the page cache. Measured is the CPU time of whole processes, their
start included.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench import report

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / ".cache" / "bench" / "look.json"
SERVICES: Final = ("gateway", "orders", "courier")
TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
ORDER: Final = 987654321

PROGRAM: Final = """
import random, sys
import flowery_logging
service, directory, size, trace, order = sys.argv[1:]
flowery_logging.setup(service, directory=directory, output="file", keep_bytes=10**12)
log, written, requests = flowery_logging.get_logger("shop"), 0, 0
chosen = int(size) // 2
while written < int(size):
    ours = chosen is not None and written >= chosen
    trace_id = trace if ours else f"{random.getrandbits(128):032x}"
    number = int(order) if ours else requests
    chosen = None if ours else chosen
    with flowery_logging.continue_trace({"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}):
        with flowery_logging.bound(order_id=number, customer=f"customer-{requests % 5000}"):
            for step in range(8):
                log.info("주문 접수", step=step, item="tulip", price=3000.5)
    requests, written = requests + 1, written + 8 * 850
flowery_logging.shutdown()
"""


def write(directory: str, size: int) -> None:
    """Let the services write so many bytes, together. Raises CalledProcessError."""
    share = str(size // len(SERVICES))
    for service in SERVICES:
        given = [service, directory, share, TRACE, str(ORDER)]
        subprocess.run([sys.executable, "-c", PROGRAM, *given], cwd=ROOT, check=True)


def commands(directory: str) -> dict[str, str]:
    """Return what is measured, as shell commands, by name."""
    ours = f"exec {shlex.quote(sys.executable)} -m flowery_logging"
    files = f"{shlex.quote(directory)}/*.ndjson"
    return {
        "grep": f"exec grep -hF {TRACE} {files}",
        "grep | jq": f"grep -hF {TRACE} {files} | jq -c '[.\"@timestamp\", .message]'",
        "jq": f"cat {files} | jq -c 'select(.trace.id == \"{TRACE}\") | .message'",
        "trace": f"{ours} trace {TRACE} {shlex.quote(directory)}",
        "find": f"{ours} find {ORDER} {shlex.quote(directory)}",
        "tail": f"{ours} tail {shlex.quote(directory)}",
        "tail --since 1s": f"{ours} tail --since 1s {shlex.quote(directory)}",
        "tail --where": f"{ours} tail --where order_id={ORDER} {shlex.quote(directory)}",
        "audit": f"{ours} audit {shlex.quote(directory)}",
        "--help": f"{ours} --help",
    }


def run(command: str) -> tuple[float, int]:
    """Run a shell command; return its CPU time in seconds and its memory at most, in bytes.

    CPU time, of all its processes: other load on the machine does not matter. Raises
    CalledProcessError if it fails.
    """
    process = subprocess.Popen(["/bin/sh", "-c", command], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.look", description=__doc__)
    parser.add_argument("--bytes", type=int, default=10**9, help="of all files; default: 1 GB")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--only", default="", metavar="NAME", help="commands with this in a name")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="PATH")
    options = parser.parse_args(given)
    with TemporaryDirectory(prefix="flowery-look-") as directory:
        write(directory, options.bytes)
        chosen = {n: c for n, c in commands(directory).items() if n == "grep" or options.only in n}
        times: dict[str, list[float]] = {name: [] for name in chosen}
        memory: dict[str, int] = {}
        for _ in range(options.rounds):
            for name, command in chosen.items():
                time, memory[name] = run(command)
                times[name].append(time)
    rows = {}
    print(f"{'':<20}{'CPU s':>8}{'of grep':>9}{'MB':>7}")
    for name, found in times.items():
        ratio = median(a / b for a, b in zip(found, times["grep"], strict=True))
        rows[name] = {"s": median(found), "ratio": ratio, "peak_bytes": memory[name]}
        print(f"{name:<20}{median(found):>8.2f}{ratio:>9.2f}{memory[name] / 1e6:>7.0f}")
    report.save(options.json, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
