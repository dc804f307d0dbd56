"""How much a look at a text does, counted: a clock on a shared machine tells less."""

import sys


def calls_in_python(function, *arguments):
    """Return how many functions in Python a call takes, with the called one if it is one."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return count
