"""`python -m tests.suites [SUITE …]`: run other people's suites without the library and with it.

Prints one line for each suite and mode. Exits with 1 if an outcome differs that the table in
`differences.py` does not have, or no longer differs although it has it; with 2 if a suite could
not be run.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.suites import compare, sources
from tests.suites.catalogue import SUITES, Suite
from tests.suites.differences import DIFFERENCES
from tests.suites.run import NoOutcomesError, Outcomes, outcomes


@dataclass
class Verdict:
    """What one suite showed in one mode."""

    suite: Suite
    mode: str
    with_us: Outcomes
    differences: int
    findings: list[compare.Finding]

    def line(self) -> str:
        """Say it in one line."""
        counts = [outcome for outcome, _ in self.with_us.values()]
        shown = ", ".join(f"{counts.count(o)} {o}" for o in ("passed", "failed", "skipped"))
        what = self.suite.requirement or f"Python {sys.version.split()[0]} test_logging"
        bad = f", {len(self.findings)} NOT AS IT SHOULD BE" if self.findings else ""
        return f"{what:<30} {self.mode:<7} {shown}; {self.differences} differ{bad}"


def main() -> int:
    """Run the suites that are named, or all; return the exit code."""
    suites = _chosen()
    started = time.monotonic()
    sources.helpers()
    for suite in suites:
        sources.folder_of(suite)
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            baselines = {s.name: pool.submit(outcomes, s, "without") for s in suites}
            runs = {(s, m): pool.submit(outcomes, s, m) for s in suites for m in s.modes}
            found = [
                _verdict(s, m, baselines[s.name].result(), run.result())
                for (s, m), run in runs.items()
            ]
    except NoOutcomesError as error:
        print(error)
        return 2
    return _report(found, time.monotonic() - started)


def _chosen() -> list[Suite]:
    names = [suite.name for suite in SUITES]
    parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"some of: {', '.join(names)}")
    wanted = parser.parse_args().suites or names
    unknown = [name for name in wanted if name not in names]
    if unknown:
        parser.error(f"no such suite: {', '.join(unknown)}")
    return [suite for suite in SUITES if suite.name in wanted]


def _verdict(suite: Suite, mode: str, without: Outcomes, with_us: Outcomes) -> Verdict:
    """Compare; a difference that the table does not explain must show itself twice."""
    table = compare.allowed(DIFFERENCES, suite.name, mode)
    found = list(compare.findings(without, with_us, table))
    if found:
        without, with_us = outcomes(suite, "without"), outcomes(suite, mode)
        again = list(compare.findings(without, with_us, table))
        before = {finding.test for finding in found}
        found = [finding for finding in again if finding.test in before]
    return Verdict(suite, mode, with_us, len(compare.differing(without, with_us)), found)


def _report(found: list[Verdict], seconds: float) -> int:
    for verdict in found:
        print(verdict.line())
        for finding in verdict.findings:
            print(f"    {finding.test}\n        {finding.text}")
    print(f"{seconds:.0f} s; what the suites printed: {sources.CACHE / 'runs'}")
    return 1 if any(verdict.findings for verdict in found) else 0


if __name__ == "__main__":
    sys.exit(main())
