"""The shared test events: what each must become, for the receiver of `make e2e`.

tests/e2e/test_kit_logstash.py holds the Ruby code of the Logstash filter to the same file.
"""

from __future__ import annotations

import pytest

from tests.e2e.pipeline import process
from tests.kit.events import NOW, Case, cases, comparable


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_receiver_makes_of_it(case: Case) -> None:
    document = process(case.event, NOW)
    assert (document.stream, document.id) == (case.stream, case.id)
    assert comparable(document.body) == comparable(case.document)
