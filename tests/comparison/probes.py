"""All that is asked, one probe a row of the comparison."""

from tests.comparison import (
    beside_probes,
    file_probes,
    line_probes,
    price_probes,
    request_probes,
)
from tests.comparison.asking import PROBES

__all__ = [
    "PROBES",
    "beside_probes",
    "file_probes",
    "line_probes",
    "price_probes",
    "request_probes",
]
