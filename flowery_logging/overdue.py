"""Signals that the main thread does not get to: it is in a call in C, and stays there.

Python handles signals in the main thread, between its own instructions. A query in libpq or a
computation in C keeps it from that, where the default disposition would have ended the process at
once. So a thread waits for the signals' numbers: Python's part in C writes them, as soon as they
come, to the wakeup descriptor (`signal.set_wakeup_fd`). A call that also keeps the interpreter's
lock keeps this thread waiting too.

The thread waits in the kernel and takes no time from others. A filter of the socket keeps other
signals from it: a profiler's come a thousand times a second, and the child of a fork in C never
runs if a thread has just asked for the interpreter's lock. It stands aside while the process forks:
from Python 3.12 on `os.fork` warns of each thread. The descriptor is shared with children that were
made in C, so the kernel is asked who has written (`SO_PASSCRED`, which Linux has).
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
from _thread import LockType, RLock, allocate_lock, get_native_id, start_new_thread
from array import array
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import wraps
from types import BuiltinFunctionType
from typing import Any, Final

from flowery_logging import process
from flowery_logging.files import platform
from flowery_logging.system import System

POSSIBLE: Final = hasattr(socket, "SO_PASSCRED") and hasattr(os, "register_at_fork")
"""Whether this system tells who has written to a socket."""

_SOCKET: Final = socket.socket
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: process, user, group
_LEAVE: Final = b"\0"  # no signal has this number
_OTHER: Final = b"\xff"  # nor this one
_NOBODY: Final = -1

# A program of the kernel's socket filters, <linux/filter.h>: what is kept of a byte, 1 or 0 of it.
_ATTACH_FILTER: Final = 26  # SO_ATTACH_FILTER, which `socket` lacks
_INSTRUCTION: Final = struct.Struct("HBBI")  # struct sock_filter
_PROGRAM: Final = struct.Struct("HP")  # struct sock_fprog
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x15, 0x06  # the byte at an offset; forward; the length
_MOMENT: Final = 0.00002  # seconds
_PATIENCE: Final = 1.0  # seconds that a fork waits for a thread that is ending the process


class Overdue:
    """Calls back in a thread of its own for some of the signals that Python handles.

    Args:
        signals: their numbers.
        came: called with the number of one that has just come, from `start()` to `stop()`.
    """

    def __init__(self, signals: Collection[int], came: Callable[[int], None]) -> None:
        self._signals = signals
        self._came = came
        self._lock = RLock()
        self._sender = _NOBODY
        self._receiver: socket.socket | None = None
        self._waiting: LockType | None = None  # held while the thread waits
        self._native = 0  # what the kernel calls the thread
        self._hooked = False
        self._set: Callable[..., int] = signal.set_wakeup_fd
        self._following: Callable[..., int] | None = None

    def start(self) -> None:
        """Begin to wait, where the system lets it be done. For the main thread only."""
        if self._sender != _NOBODY or not POSSIBLE or _is_patched():
            return
        if not self._hooked:
            self._hooked = True
            process.in_each_child(self._renew)
        with self._lock:
            self._follow()
            self._establish()

    def stop(self) -> None:
        """End the thread, and take back what `start()` has done. For the main thread only."""
        with self._lock:
            self._leave()
            if self._following is not None and signal.set_wakeup_fd is self._following:
                signal.set_wakeup_fd, self._following = self._set, None
            self._close()

    def stand_aside(self) -> None:
        """End the thread until `come_back()`, which the parent of a fork calls, and no child."""
        self._lock.acquire()
        self._leave()

    def come_back(self) -> None:
        """Go on where `stand_aside()` has stopped."""
        try:
            if self._receiver is not None:
                self._begin(self._receiver)
        except RuntimeError:
            self._close()  # no thread is to be had
        finally:
            self._lock.release()

    def _renew(self) -> None:
        """Give a child what is its own: what it writes would come to its parent."""
        self._lock = RLock()
        self._waiting = None
        if self._sender != _NOBODY:
            self._close()
            self._establish()

    def _establish(self) -> None:
        """Make the two ends, give one to Python, and wait at the other, if all that can be done."""
        try:
            receiver = self._open()
            self._offer()
            self._begin(receiver)
        except BaseException as error:
            self._close()
            if not isinstance(error, (OSError, RuntimeError, ValueError)):
                raise  # else: no descriptor, no thread, or not the main one

    def _open(self) -> socket.socket:
        """Make the two ends, and return that of the thread. Raises OSError."""
        receiver, sender = socket.socketpair(type=socket.SOCK_DGRAM)
        self._receiver = receiver = socket.socket(fileno=platform.lift(receiver.detach()))
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        _let_through(receiver, [_LEAVE[0], *self._signals])
        sender.setblocking(False)
        self._sender = platform.lift(sender.detach())
        System.write(self._sender, _OTHER)
        System.write(self._sender, _LEAVE)
        if _receive(receiver) != (_LEAVE, True):  # a system that only acts as Linux
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        return receiver

    def _offer(self) -> None:
        """Let Python write to us, unless it writes to somebody else. For the main thread only.

        Raises ValueError in another one.
        """
        standing = self._put(self._sender)
        if standing != _NOBODY:
            self._put(standing)

    def _put(self, descriptor: int) -> int:
        return self._set(descriptor, warn_on_full_buffer=False)

    def _follow(self) -> None:
        """Replace `signal.set_wakeup_fd`: an event loop takes the descriptor, and gives it back.

        Trio warns of one that is there before, asyncio leaves none behind.
        """
        if self._following is not None:
            return
        theirs = signal.set_wakeup_fd

        @wraps(theirs)
        def following(descriptor: int, /, **options: Any) -> int:
            ours = self._sender
            if descriptor == _NOBODY:
                descriptor, options = ours, {"warn_on_full_buffer": False}
            before = theirs(descriptor, **options)
            return _NOBODY if before == ours else before

        self._set, self._following = theirs, following
        signal.set_wakeup_fd = following

    def _begin(self, receiver: socket.socket) -> None:
        """Start the thread. Raises RuntimeError where none is to be had."""
        self._waiting = waiting = allocate_lock()
        waiting.acquire()
        # What the main thread blocks, to wait for it, must not be delivered to this one.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            start_new_thread(self._wait, (receiver, waiting))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _leave(self) -> None:
        waiting = self._waiting
        if waiting is not None:
            with suppress(OSError):  # somebody has closed all descriptors
                System.write(self._sender, _LEAVE)
                if waiting.acquire(timeout=_PATIENCE):
                    _wait_until_gone(self._native, waiting)
            self._waiting = None

    def _close(self) -> None:
        if self._sender != _NOBODY:
            self._withdraw(self._sender)
            sender, self._sender = self._sender, _NOBODY
            with suppress(OSError):  # somebody has closed all descriptors
                System.close(sender)
        with suppress(OSError):
            if self._receiver is not None:
                self._receiver.close()
        self._receiver = None

    def _withdraw(self, sender: int) -> None:
        with suppress(ValueError, OSError):  # not the main thread, or no descriptor any more
            standing = self._put(_NOBODY)
            if standing != sender:
                self._put(standing)

    def _wait(self, receiver: socket.socket, waiting: LockType) -> None:
        try:
            self._native = get_native_id()
            while True:
                data, is_from_here = _receive(receiver)
                if data == _LEAVE:
                    return
                if is_from_here:
                    self._came(data[0])
        except OSError:
            pass  # somebody has closed all descriptors
        finally:
            waiting.release()


def _let_through(receiver: socket.socket, numbers: Collection[int]) -> None:
    """Have the kernel drop each byte but these (`SO_ATTACH_FILTER`). Raises OSError."""
    code = [_INSTRUCTION.pack(_LOAD, 0, 0, 0)]
    for left, number in zip(range(len(numbers), 0, -1), numbers, strict=True):
        code.append(_INSTRUCTION.pack(_JUMP_IF_EQUAL, left, 0, number))
    code += [_INSTRUCTION.pack(_RETURN, 0, 0, length) for length in (0, 1)]
    program = array("B", b"".join(code))
    given = _PROGRAM.pack(len(code), program.buffer_info()[0])
    receiver.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, given)


def _receive(receiver: socket.socket) -> tuple[bytes, bool]:
    """Return the next byte, and whether this process has written it. Raises OSError."""
    data, ancillary, _, _ = receiver.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size))
    writers = [_CREDENTIALS.unpack(value)[0] for _, _, value in ancillary]
    return data, writers == [System.getpid()]


def _wait_until_gone(thread: int, held: LockType) -> None:
    """Wait until the kernel does not count a thread any more, which has nothing left to do."""
    latest = System.monotonic() + _PATIENCE
    while System.monotonic() < latest:
        try:
            System.stat(f"/proc/self/task/{thread}")
        except OSError:
            return
        held.acquire(timeout=_MOMENT)


def _is_patched() -> bool:
    """Tell whether threads and sockets are those of gevent or eventlet, which wait in a loop."""
    return not isinstance(start_new_thread, BuiltinFunctionType) or socket.socket is not _SOCKET
