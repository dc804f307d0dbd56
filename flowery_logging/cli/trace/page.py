"""A trace as one page, to attach to a ticket and open anywhere: no script, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from flowery_logging.cli.page import document, escape
from flowery_logging.cli.reading.fields import leaves, text_of
from flowery_logging.cli.trace.hops import Hop, Record, is_error, time_of
from flowery_logging.cli.trace.text import counted, day_and_time
from flowery_logging.cli.trace.timeline import Gap, timeline
from flowery_logging.cli.trace.tree import Trace
from flowery_logging.files.shown import duration_text, shown_fields


def page(trace: Trace, *, utc: bool) -> str:
    """Return the page. Whatever stands in the events is text in it, never markup.

    Where a bar lies is told by attributes of SVG, which need no style: the page's policy admits
    none but its own style sheet.
    """
    style = resources.files("flowery_logging.cli.trace").joinpath("page.css").read_text("utf-8")
    title = f"trace {trace.trace_id}" if trace.trace_id else "trace"
    return document(title, style, _body(trace, utc=utc))


def _body(trace: Trace, *, utc: bool) -> Iterator[str]:
    yield f"<header>\n<h1>{escape(_headline(trace))}</h1>"
    yield f"<p>{_summary(trace, utc=utc)}</p>"
    yield f'<p class="ids">trace <code>{escape(trace.trace_id or "(none)")}</code>'
    if trace.request_id:
        yield f"request <code>{escape(trace.request_id)}</code>"
    yield "</p>\n</header>"
    yield "<main>"
    for root in trace.roots:
        yield from _hop(root, trace, utc=utc)
    yield "</main>"


def _headline(trace: Trace) -> str:
    return trace.roots[0].title if trace.roots else "no events"


def _summary(trace: Trace, *, utc: bool) -> str:
    errors = len(trace.errors)
    parts = [
        escape(day_and_time(trace.begin, utc=utc)),
        f"<strong>{duration_text(trace.end - trace.begin)}</strong>",
        escape(", ".join(trace.services)),
        counted(len(trace.records), "event"),
        f'<span class="error">{counted(errors, "error")}</span>' if errors else "no errors",
    ]
    return " · ".join(parts)


def _hop(hop: Hop, trace: Trace, *, utc: bool) -> Iterator[str]:
    kind = f"{hop.kind} failed" if hop.failed else hop.kind
    yield f'<section class="hop {kind}">'
    service = f'<span class="service">{escape(hop.service)}</span>'
    yield f"<h2>{service} {escape(hop.title)}{_took(hop)}</h2>"
    yield _bar(hop, trace)
    rows: list[str] = []
    for item in timeline(hop, trace):
        if isinstance(item, Hop):
            yield from _rows(rows)
            rows = []
            yield from _hop(item, trace, utc=utc)
        elif isinstance(item, Gap):
            rows.append(_gap(item, trace))
        else:
            rows.append(_event(item, trace, utc=utc))
    yield from _rows(rows)
    if hop.closing is not None:
        yield _all_fields(hop.closing, "all fields")
    yield "</section>"


def _took(hop: Hop) -> str:
    if hop.closing is None:
        return ""
    return f' <span class="took">{duration_text(hop.duration)}</span>'


def _bar(hop: Hop, trace: Trace) -> str:
    """Return when in the trace the hop ran, in thousandths of the whole."""
    if hop.closing is None:
        return ""
    whole = max(1, trace.end - trace.begin)
    first = (hop.begin - trace.begin) * 1000 // whole
    width = max(3, hop.duration * 1000 // whole)
    label = f"from {duration_text(hop.begin - trace.begin)} on, for {duration_text(hop.duration)}"
    return (
        f'<svg class="bar" role="img" viewBox="0 0 1000 8" preserveAspectRatio="none">'
        f"<title>{label}</title>"
        f'<rect class="whole" x="0" y="3" width="1000" height="2"/>'
        f'<rect class="part" x="{min(first, 997)}" y="0" width="{width}" height="8"/></svg>'
    )


def _rows(rows: list[str]) -> Iterator[str]:
    if rows:
        yield '<ol class="lines">'
        yield from rows
        yield "</ol>"


def _gap(gap: Gap, trace: Trace) -> str:
    text = f"{duration_text(gap.duration)} without a line"
    return f'<li class="gap">{_clock(gap.begin, trace)} {text}</li>'


def _event(record: Record, trace: Trace, *, utc: bool) -> str:
    level = text_of(record, "log.level").lower()
    shown = "".join(
        f' <span class="field"><i>{escape(name)}</i>{escape(value)}</span>'
        for name, value in shown_fields(record)
    )
    known = level if level in {"warning", "error", "critical"} else ""
    moment = time_of(record)
    return (
        f'<li class="line {known}"><time title="{escape(day_and_time(moment, utc=utc))}">'
        f"{_clock(moment, trace)}</time> "
        f'<b class="level">{escape(level)}</b> '
        f'<span class="message">{escape(text_of(record, "message"))}</span>{shown}'
        f"{_stack(record)}{_all_fields(record, 'all fields')}</li>"
    )


def _stack(record: Record) -> str:
    stack = text_of(record, "error.stack_trace")
    if not stack:
        return ""
    last = next((line for line in reversed(stack.splitlines()) if line.strip()), "")
    opened = " open" if is_error(record) else ""
    summary = f"<summary>{escape(last.strip())}</summary>"
    return f"<details{opened}>{summary}<pre>{escape(stack)}</pre></details>"


def _all_fields(record: Record, summary: str) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in leaves(record)
        if name != "error.stack_trace"
    )
    return f'<details class="all"><summary>{summary}</summary><table>{rows}</table></details>'


def _clock(moment: int, trace: Trace) -> str:
    return f'<span class="clock">+{duration_text(max(0, moment - trace.begin))}</span>'
