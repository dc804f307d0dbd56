"""`python -m tests.suites [SUITE …]`: run other people's suites without the library and with it.

Prints one line for each suite and mode. Exits with 1 if an outcome differs that the table in
`differences.py` does not have, or no longer differs although it has it; with 2 if a suite could
not be run.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec

from tests.dispositions import as_from_a_terminal
from tests.suites import compare, sources
from tests.suites.catalogue import SUITES, Suite
from tests.suites.differences import DIFFERENCES
from tests.suites.run import NoOutcomesError, Run, run


@dataclass
class Verdict:
    """What one suite showed in one mode."""

    suite: Suite
    mode: str
    with_us: Run
    differences: int
    findings: list[compare.Finding]

    def line(self) -> str:
        """Say it in one line."""
        counts = [outcome for outcome, _ in self.with_us.outcomes.values()]
        shown = ", ".join(f"{counts.count(o)} {o}" for o in ("passed", "failed", "skipped"))
        what = self.suite.requirement or f"Python {sys.version.split()[0]} test_logging"
        bad = f", {len(self.findings)} NOT AS IT SHOULD BE" if self.findings else ""
        events = f"{self.with_us.events} events written"
        return f"{what:<30} {self.mode:<7} {shown}; {self.differences} differ{bad}; {events}"


def main() -> int:
    """Run the suites that are named, or all; return the exit code."""
    as_from_a_terminal()
    suites = _chosen()
    started = time.monotonic()
    try:
        found = _run(suites)
    except (NoOutcomesError, subprocess.SubprocessError) as error:
        print(error)
        return 2
    print(f"{time.monotonic() - started:.0f} s; what they printed: {sources.CACHE / 'runs'}")
    return 1 if any(verdict.findings for verdict in found) else 0


def _run(suites: list[Suite]) -> list[Verdict]:
    """Run the suites, as many at a time as there are processors; say what each one showed."""
    sources.helpers()
    for suite in suites:
        sources.folder_of(suite)
    found = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        baselines = {s.name: pool.submit(run, s, "without") for s in suites}
        runs = {(s, m): pool.submit(run, s, m) for s in suites for m in s.modes}
        for (suite, mode), with_us in runs.items():
            verdict = _verdict(suite, mode, baselines[suite.name].result(), with_us.result())
            found.append(verdict)
            _say(verdict)
    return found


def _chosen() -> list[Suite]:
    names = [suite.name for suite in SUITES]
    parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"some of: {', '.join(names)}")
    wanted = parser.parse_args().suites or names
    unknown = [name for name in wanted if name not in names]
    if unknown:
        parser.error(f"no such suite: {', '.join(unknown)}")
    return [suite for suite in SUITES if suite.name in wanted and _is_here(suite)]


def _is_here(suite: Suite) -> bool:
    """Tell whether there are tests to run: some systems leave out the interpreter's own."""
    if suite.package or find_spec("test.test_logging") is not None:
        return True
    print(f"{suite.name}: this Python has no package `test`")
    return False


def _verdict(suite: Suite, mode: str, without: Run, with_us: Run) -> Verdict:
    """Compare; a difference that the table does not explain must show itself twice."""
    table = compare.allowed(DIFFERENCES, suite.name, mode)
    found = list(compare.findings(without.outcomes, with_us.outcomes, table))
    if found:
        without, with_us = run(suite, "without"), run(suite, mode)
        before = {finding.test for finding in found}
        again = compare.findings(without.outcomes, with_us.outcomes, table)
        found = [finding for finding in again if finding.test in before]
    different = compare.differing(without.outcomes, with_us.outcomes)
    return Verdict(suite, mode, with_us, len(different), found)


def _say(verdict: Verdict) -> None:
    print(verdict.line(), flush=True)
    for finding in verdict.findings:
        print(f"    {finding.test}\n        {finding.text}")


if __name__ == "__main__":
    sys.exit(main())
