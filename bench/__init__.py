"""Side-by-side measurements: what one log event costs here and in the peers.

`python -m bench` measures each contender (`ours.py`, `peers.py`) in a child process
of its own, because all of them configure `logging`, structlog or loguru process-wide. The children
wait on a pipe and are asked in turn, in another order each round (`measure.py`), so that a slow
moment of the machine falls on all of them. Every number is a median over the rounds.

`make bench` runs that, and what no table of events shows: `crowd.py`, `startup.py`,
`memory.py`, `instructions.py` (all together: `everything.py`). What they find is `results.json`,
from which `published.py` makes the tables (`tables.py`) and the plot (`plot.py`) of the pages.
`counts.py` counts what an event calls, for a test; `losses` counts what the usual set-ups lose.
"""
