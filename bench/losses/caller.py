"""One thread's log calls, each with the caller's name and its number on the line."""

from __future__ import annotations

import logging
import os
import secrets
from typing import TYPE_CHECKING, Protocol

from .tally import Tally

if TYPE_CHECKING:
    from pathlib import Path

MESSAGES = ("order placed", "주문 접수", "payment of %d won", "영수증 발송: %d")
ONE_IN = 50  # of how many events one has an exception


class Log(Protocol):
    """What logs one event of a caller."""

    def __call__(self, caller: str, number: int, error: BaseException | None) -> None: ...


def stdlib(caller: str, number: int, error: BaseException | None) -> None:
    """Log with the standard library, whatever its handlers are."""
    message = MESSAGES[number % len(MESSAGES)]
    arguments = (number,) if "%" in message else ()
    fields = {"caller": caller, "call": number}
    logging.getLogger("chaos").info(message, *arguments, extra=fields, exc_info=error)


class Caller:
    """Calls, and then notes in its tally that the call has returned."""

    def __init__(self, tallies: Path, service: str, log: Log = stdlib) -> None:
        self.name = f"{service}-{os.getpid()}-{secrets.token_hex(4)}"
        self._tally = Tally(tallies, self.name)
        self._log = log
        self._calls = 0

    def call(self, times: int = 1) -> None:
        """Log so many events as fast as it goes."""
        for number in range(self._calls + 1, self._calls + times + 1):
            self._log(self.name, number, _failure(number) if number % ONE_IN == 0 else None)
            self._tally.write(number)
        self._calls += times


def _failure(number: int) -> Exception:
    try:
        try:
            raise ConnectionResetError("bank.example closed the connection")  # noqa: TRY301 - a cause
        except ConnectionResetError as cause:
            raise RuntimeError(f"payment {number} failed") from cause
    except RuntimeError as failure:
        return failure
