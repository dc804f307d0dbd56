"""Side-by-side measurements: what one log event costs here and in the peers.

`python -m bench` (`make bench`) measures each contender (`ours.py`, `peers.py`) in a child process
of its own, because all of them configure `logging`, structlog or loguru process-wide. The children
wait on a pipe and are asked in turn, in another order each round (`measure.py`), so that a slow
moment of the machine falls on all of them. Every number is a median over the rounds.
"""
