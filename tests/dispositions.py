"""What a process hands on to each program that it starts, put as a terminal hands it on.

A shell that puts a command into the background ignores SIGINT for it, `nohup` ignores SIGHUP, and
both hold for all that is started from there (POSIX: `exec` keeps an ignored signal ignored). A
server of a test that is to end by SIGINT would then never end.
"""

import signal

OUR_OWN = (signal.SIGPIPE, signal.SIGXFSZ)
"""What Python itself ignores, and restores in each program that `subprocess` starts."""


def as_from_a_terminal() -> None:
    """Ignore and block no signal from here on, in this process and in those that it starts."""
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN and number not in OUR_OWN:
            signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
