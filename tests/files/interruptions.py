"""A signal handler at a chosen point of the package's code, without any signal.

CPython runs signal handlers between two instructions only where it looks for them: at the beginning
of a function, after a call, and where it jumps back (up to Python 3.10 at every jump). `Handler`
counts these points as the code passes them and acts at the one it was told.
"""

from __future__ import annotations

import dis
import gc
import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from types import CodeType, FrameType, FunctionType
from typing import Any, final

import flowery_logging
from flowery_logging.files import writer

ROOM = os.path.dirname(writer.__file__) + os.sep
HOUSE = os.path.dirname(flowery_logging.__file__) + os.sep

CALLS = ("CALL", "CALL_FUNCTION", "CALL_FUNCTION_EX", "CALL_FUNCTION_KW", "CALL_KW", "CALL_METHOD")
JUMPS = (
    ("JUMP_BACKWARD", "POP_JUMP_BACKWARD")
    if sys.version_info >= (3, 11)
    else ("JUMP_ABSOLUTE", "JUMP_IF", "POP_JUMP_IF")
)
"""What the names of jumps begin with after which Python looks for signals."""

MONITORING: Any = getattr(sys, "monitoring", None) if sys.version_info >= (3, 13) else None
"""What is asked from Python 3.13 on, where `sys.settrace` tells of the instructions of a function
only from its second call on, and after an interruption of none at first."""

TOOL = 4
"""A number of `sys.monitoring` that it gives to nobody."""


class Interruption(BaseException):
    """What the handler raises."""


@cache
def names(code: CodeType) -> dict[int, str]:
    return {instruction.offset: instruction.opname for instruction in dis.get_instructions(code)}


def is_followed_by_a_look(name: str | None) -> bool:
    """Tell whether CPython looks for signals after an instruction; None: before the first."""
    if name is None or name == "RESUME" or name in CALLS:
        return True
    return name.startswith(JUMPS) and not name.endswith("NO_INTERRUPT")


@final
class Handler:
    """Calls `act` at the `point`-th point of the code that runs in its `with` block.

    What others have left behind is not collected there: Python ignores what a `__del__` raises.
    """

    def __init__(self, point: int, act: Callable[[], None], room: str = ROOM) -> None:
        self._room = room
        self._left = point
        self._act = act
        self._last: dict[FrameType, str] = {}
        self._thread = threading.get_ident()
        self.where = ""  # "" until it has acted

    def __enter__(self) -> Handler:
        gc.disable()
        if MONITORING:
            instructions = MONITORING.events.INSTRUCTION
            MONITORING.use_tool_id(TOOL, "interruptions")
            MONITORING.register_callback(TOOL, instructions, self._told)
            MONITORING.set_events(TOOL, instructions)
        else:
            sys._getframe().f_trace_opcodes = True  # before settrace(): Python 3.12 needs it
            sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        if MONITORING:
            MONITORING.set_events(TOOL, MONITORING.events.NO_EVENTS)
            MONITORING.free_tool_id(TOOL)
        else:
            sys.settrace(None)
        self._last.clear()
        gc.enable()

    def _told(self, code: CodeType, offset: int) -> None:
        is_here = threading.get_ident() == self._thread and code.co_filename.startswith(self._room)
        if is_here and not self.where:
            self._pass(sys._getframe(1), names(code).get(offset, ""))

    def _enter(self, frame: FrameType, what: str, argument: Any) -> Any:
        if self.where or not frame.f_code.co_filename.startswith(self._room):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step

    def _step(self, frame: FrameType, what: str, argument: Any) -> Any:
        if self.where or what != "opcode":
            return None if self.where else self._step
        self._pass(frame, names(frame.f_code).get(frame.f_lasti, ""))
        return self._step

    def _pass(self, frame: FrameType, instruction: str) -> None:
        before = self._last.get(frame)
        self._last[frame] = instruction
        if is_followed_by_a_look(before):
            self._left -= 1
            if self._left == 0:
                self.where = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
                sys.settrace(None)
                self._act()


def swallowed(
    call: Callable[[], Any], act: Callable[[], None], raised: type[BaseException]
) -> tuple[list[str], int]:
    """Call once for each point of all of the package's code, interrupted there by `act`.

    Return where what that raises did not come out of the call, and how many points there are.
    """
    point = 0
    found: list[str] = []
    while True:
        point += 1
        handler = Handler(point, act, HOUSE)
        try:
            with handler:
                call()
        except raised:
            continue
        if not handler.where:
            return found, point - 1
        found.append(handler.where)


def as_ours(function: FunctionType) -> Callable[[int, bytes], int]:
    """Return a function whose errors count as the system's answers to us (see faults.py)."""
    scope = {**function.__globals__, "__name__": "flowery_logging.files.bad_day"}
    return FunctionType(function.__code__, scope, None, None, function.__closure__)
