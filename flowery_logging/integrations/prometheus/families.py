"""The metrics of logging itself: their names, and which count of `stats()` is which of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final, NamedTuple

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from flowery_logging.files.tally import WRITE_SECONDS
from flowery_logging.integrations.prometheus.board import Key


class Family(NamedTuple):
    """One metric: `label` is what it has beside `service_name`, if anything."""

    kind: type[CounterMetricFamily | GaugeMetricFamily]
    help: str
    label: str = ""


COUNTER: Final = CounterMetricFamily
GAUGE: Final = GaugeMetricFamily

FAMILIES: Final[Mapping[str, Family]] = {
    "flowery_log_events": Family(COUNTER, "Events that have their number, by level.", "level"),
    "flowery_log_bytes": Family(COUNTER, "Bytes of their lines.", "level"),
    "flowery_log_dropped_events": Family(
        COUNTER, "Events that are in no file: the disk took none, or a processor.", "reason"
    ),
    "flowery_log_repaired_events": Family(
        COUNTER, "What was put elsewhere or made plainer so that its line is indexable.", "reason"
    ),
    "flowery_log_truncated_events": Family(COUNTER, "What was cut to its limit.", "part"),
    "flowery_log_left_out_events": Family(
        COUNTER, "Events that flood control or sampling has left out, as it was asked to.", "reason"
    ),
    "flowery_log_redacted_values": Family(COUNTER, "Secrets that were replaced, by kind.", "kind"),
    "flowery_log_faults": Family(COUNTER, "What else has gone wrong around logging.", "kind"),
    "flowery_log_foreign_lines": Family(
        COUNTER, "Lines of the files that are no events, by what they are.", "kind"
    ),
    "flowery_log_files_opened": Family(COUNTER, "Files that were opened."),
    "flowery_log_files_removed": Family(COUNTER, "Files that retention has removed."),
    "flowery_log_removed_bytes": Family(COUNTER, "The bytes of these."),
    "flowery_log_waiting_events": Family(GAUGE, "Events that wait in memory for the disk."),
    "flowery_log_label_names": Family(GAUGE, "Names of labels that the processes have made."),
    "flowery_log_label_names_limit": Family(GAUGE, "How many each of them may make."),
    "flowery_log_open_files": Family(GAUGE, "Files that are written to now."),
    "flowery_log_files": Family(GAUGE, "Files that lie in the directory."),
    "flowery_log_files_bytes": Family(GAUGE, "The bytes of these."),
    "flowery_log_keep_bytes": Family(GAUGE, "Beyond so many bytes retention removes files."),
    "flowery_log_keep_seconds": Family(GAUGE, "Beyond this age retention removes files."),
    "flowery_log_last_write_timestamp_seconds": Family(GAUGE, "When a line was written last."),
}

WRITES: Final = "flowery_log_write_duration_seconds"
SUM: Final = "sum"

HIGHEST: Final = frozenset({"flowery_log_label_names", "flowery_log_label_names_limit"})
"""Gauges of which several processes show the highest, not the sum."""

_FAULTS: Final = "flowery_log_faults"
_REDACTED: Final = "redacted_"
_COUNTS: Final[Mapping[str, tuple[str, str]]] = {
    "dropped": ("flowery_log_dropped_events", "disk"),
    "dropped_by_processors": ("flowery_log_dropped_events", "processor"),
    "left_out_by_flood": ("flowery_log_left_out_events", "flood"),
    "left_out_by_sampling": ("flowery_log_left_out_events", "sampling"),
    "reserved_names": ("flowery_log_repaired_events", "reserved_name"),
    "misfits": ("flowery_log_repaired_events", "misfit"),
    "renamed_labels": ("flowery_log_repaired_events", "renamed_label"),
    "label_names_over_limit": ("flowery_log_repaired_events", "label_names_over_limit"),
    "keyword_fields": ("flowery_log_repaired_events", "keyword_field"),
    "fallbacks": ("flowery_log_repaired_events", "fallback"),
    "broken_records": ("flowery_log_repaired_events", "broken_record"),
    "cut_values": ("flowery_log_truncated_events", "value"),
    "cut_lists": ("flowery_log_truncated_events", "list"),
    "cut_traces": ("flowery_log_truncated_events", "stack_trace"),
    "cut_lines": ("flowery_log_truncated_events", "line"),
    "fields_over_limit": ("flowery_log_truncated_events", "fields"),
    "files": ("flowery_log_files_opened", ""),
    "files_removed": ("flowery_log_files_removed", ""),
    "bytes_removed": ("flowery_log_removed_bytes", ""),
}


def key_of(count: str, service: str) -> Key:
    """Return what a count of `stats()` is called here; an unknown one is a fault of that kind."""
    name, value = _COUNTS.get(count, (_FAULTS, count))
    if count.startswith(_REDACTED):
        name, value = "flowery_log_redacted_values", count.removeprefix(_REDACTED)
    return (name, service, value) if FAMILIES[name].label else (name, service)


def collected(numbers: Mapping[Key, float]) -> Iterator[Metric]:
    """Yield the metrics that these numbers are."""
    yield _writes(numbers)
    for name, family in FAMILIES.items():
        labels = ["service_name", family.label] if family.label else ["service_name"]
        metric = family.kind(name, family.help, labels=labels)
        for key, number in sorted(numbers.items()):
            if key[0] == name and len(key) == len(labels) + 1:
                metric.add_metric(list(key[1:]), number)
        if metric.samples:
            yield metric


def write_keys(service: str) -> list[Key]:
    """Return what the classes of calls of `write()` are called, and, at the end, their sum."""
    bounds = [*map(str, WRITE_SECONDS), "+Inf", SUM]
    return [(WRITES, service, bound) for bound in bounds]


def _writes(numbers: Mapping[Key, float]) -> Metric:
    text = "Calls of write() for the lines of logging."
    metric = HistogramMetricFamily(WRITES, text, labels=["service_name"])
    for name in sorted({key[1] for key in numbers if key[0] == WRITES}):
        *classes, total = write_keys(name)
        counts = accumulate(numbers.get(key, 0) for key in classes)
        buckets = [(key[2], count) for key, count in zip(classes, counts, strict=True)]
        metric.add_metric([name], buckets, numbers.get(total, 0))
    return metric


def merged(processes: Iterable[tuple[bool, Mapping[Key, float]]]) -> dict[Key, float]:
    """Return the numbers of several processes as one; of those that have ended, no gauges."""
    total: dict[Key, float] = {}
    for alive, numbers in processes:
        for key, number in numbers.items():
            if not alive and key[0] in FAMILIES and FAMILIES[key[0]].kind is GAUGE:
                continue
            before = total.get(key, 0.0)
            total[key] = max(before, number) if key[0] in HIGHEST else before + number
    return total
