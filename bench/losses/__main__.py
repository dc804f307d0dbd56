"""`python -m bench.losses`: a table of losses and repeats, in the files and behind Filebeat."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.losses import counting, writers
from bench.losses.counting import Count
from bench.losses.shipping import Shipping
from bench.losses.tally import read_tallies

HEAD = """\
| {processes} processes, {events} events each | events/s | lost in the files | twice in the files \
| lost behind Filebeat | twice behind Filebeat |
|---|--:|--:|--:|--:|--:|"""


@dataclass(frozen=True)
class Result:
    """What came of one contender's events; `arrived` after repeats of one `event.id` went."""

    name: str
    seconds: float
    written: Count
    arrived: Count

    def row(self) -> str:
        """As a row of the table."""
        cells = [
            self.name,
            f"{self.written.calls / self.seconds:,.0f}",
            *(
                _share(number, count.calls)
                for count in (self.written, self.arrived)
                for number in (count.lost, count.repeated)
            ),
        ]
        return f"| {' | '.join(cells)} |"


def _share(number: int, of: int) -> str:
    return f"{number:,} ({100 * number / of:.1f} %)" if number else "0"


def measure(contender: writers.Contender, root: Path, processes: int, events: int) -> Result:
    """Let the contender write while Filebeat reads along; wait until all is shipped."""
    logs, tallies = root / "logs", root / "tallies"
    logs.mkdir(parents=True)
    tallies.mkdir()
    renaming = contender.pattern != "*.ndjson"
    with Shipping(logs, root / "filebeat", renaming=renaming) as arrivals:
        seconds = writers.write(contender.set_up, logs, tallies, processes, events)
        arrivals.wait_until_quiet()
    returned = read_tallies(tallies)
    arrived = (
        call for event in _without_repeated_ids(arrivals.events) for call in counting.call_of(event)
    )
    return Result(
        contender.name,
        seconds,
        counting.count(returned, counting.on_disk(logs, contender.pattern)),
        counting.count(returned, arrived),
    )


def _without_repeated_ids(events: Iterable[dict[str, object]]) -> Iterable[dict[str, object]]:
    """What is left when Elasticsearch has refused each second document of an ID."""
    seen: set[object] = set()
    for event in events:
        of_event = event.get("event")
        event_id = of_event.get("id") if isinstance(of_event, dict) else None
        if event_id is None or event_id not in seen:
            yield event
        seen.add(event_id)


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; 1 if an event of ours was lost or is there twice."""
    parser = argparse.ArgumentParser(prog="python -m bench.losses", description=__doc__)
    parser.add_argument("--processes", type=int, default=4, help="default: 4")
    parser.add_argument("--events", type=int, default=10_000, help="of each; default: 10000")
    options = parser.parse_args(given)
    print(HEAD.format(processes=options.processes, events=f"{options.events:,}"))
    results = []
    for number, contender in enumerate(writers.CONTENDERS):
        if not contender.is_installed():
            print(f"left out, as it is not installed: {contender.name}", file=sys.stderr)
            continue
        with TemporaryDirectory(prefix="flowery-losses-") as folder:
            root = Path(folder) / str(number)
            results.append(measure(contender, root, options.processes, options.events))
        print(results[-1].row(), flush=True)
    ours = results[0]
    return int(any((ours.written.lost, ours.arrived.lost, ours.arrived.repeated)))


if __name__ == "__main__":
    sys.exit(main())
