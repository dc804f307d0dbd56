"""What of the alerts is news: each is told once, and once that it is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flowery_logging.cli.watch.observation import MEMORY_SECONDS, Observation
from flowery_logging.cli.watch.rules import Alert
from flowery_logging.cli.watch.state import State


@dataclass
class News:
    """What is to be told now, and what goes on."""

    told: list[tuple[str, str]] = field(default_factory=list)  # state and text
    alerts: list[dict[str, Any]] = field(default_factory=list)  # the same, for programs
    still: list[str] = field(default_factory=list)  # texts of what was told and lasts

    def is_bad(self) -> bool:
        """Tell whether something is wrong now."""
        return bool(self.still) or any(state != "over" for state, _ in self.told)

    def add(self, state: str, kind: str, key: str, text: str) -> None:
        """Add what is to be told: it has begun, is over, or happened."""
        self.told.append((state, text))
        self.alerts.append({"state": state, "kind": kind, "key": key, "text": text})


def news(found: Iterable[Alert], state: State, seen: Observation, now: float) -> News:
    """Return what of the alerts was not told before, and what is over. Changes nothing."""
    result = News()
    lasting = set()
    for alert in found:
        if alert.lasts:
            lasting.add(alert.key)
            if alert.key in state.open:
                result.still.append(state.open[alert.key])
            else:
                result.add("begun", alert.kind, alert.key, alert.text)
        elif alert.key not in state.told:
            result.add("happened", alert.kind, alert.key, alert.text)
    for key, text in state.open.items():
        if key not in lasting:
            result.add("over", key.partition(":")[0], key, _ended(key, text, seen, now))
    return result


def _ended(key: str, text: str, seen: Observation, now: float) -> str:
    """Return how it is told that something is over: a service that stays silent is given up."""
    kind, _, name = key.partition(":")
    service = seen.services.get(name)
    if kind == "silent" and (service is None or now - service.last >= MEMORY_SECONDS):
        return f"{name} has been silent for a day and is not watched any more"
    return f"over: {text}"


def remember(state: State, found: Iterable[Alert], seen: Observation, now: float) -> None:
    """Take over into the state what was told and seen."""
    open_before = state.open
    state.open = {}
    for alert in found:
        if alert.lasts:
            state.open[alert.key] = open_before.get(alert.key, alert.text)
        else:
            state.told[alert.key] = now
    state.groups.update({group: error.last for group, error in seen.errors.items()})
    state.services.update({name: one.last for name, one in seen.services.items()})
    for name in [n for n, one in seen.services.items() if one.has_ended]:
        state.services.pop(name, None)
    state.services = {
        name: last for name, last in state.services.items() if now - last < MEMORY_SECONDS
    }
    state.looked = now
    state.forget(now)
