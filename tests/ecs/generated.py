"""Configurations, and fields of all kinds: those that fit, those at an edge, those that do not."""

import re

from hypothesis import strategies as st

from flowery_logging.counters import Counters
from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.document import Placer
from flowery_logging.ecs.limits import LEAST, Limits
from flowery_logging.ecs.values import QUERIES
from flowery_logging.redaction import Kind, Redactor
from flowery_logging.redaction.choices import ChosenRedactor
from flowery_logging.redaction.personal import KINDS
from flowery_logging.redaction.pseudonyms import Key, Pseudonyms
from tests.strategies import NUMBERS, TEXTS, names, values

DECLARED = {
    "flowery.order.id": "long",
    "flowery.order.query": "keyword",
    "flowery.rate": "scaled_float",
    "flowery.small": "integer",
    "flowery.part": "float",
    "flowery.peer": "ip",
    "flowery.note": "text",
    "flowery.done": "boolean",
    "flowery.day": "date",
    "flowery.open": "object",
}

ROOM = 1_000_000  # names of labels for all that is generated
LIMITS = Limits(label_names=ROOM)
CHOSEN = ChosenRedactor(
    personal=KINDS,
    pseudonyms=Pseudonyms(("http", "part", "a", "user.name", "order"), Key("an invented key 0000")),
)

WORDS = Kind(
    "word",
    lambda text: [match.span() for match in re.finditer("kim|7d3f|2026-01", text)],
    sign=lambda encoded: any(part in encoded for part in (b"kim", b"7d3f", b"2026-01")),
    is_name=lambda name: False,
)
"""A kind of somebody's own, which is found where no other is."""

PLACERS = {
    "ordinary": lambda: Placer(DECLARED, Redactor(), LIMITS, Counters()),
    "names": lambda: Placer(
        {}, Redactor(secret=["http", "part", "fe80"], safe=["password"]), LIMITS, Counters()
    ),
    "least": lambda: Placer(DECLARED, Redactor(), LEAST._replace(label_names=ROOM), Counters()),
    "words": lambda: Placer(DECLARED, Redactor(kinds=[WORDS]), LIMITS, Counters()),
    "few": lambda: Placer({}, Redactor(), LIMITS._replace(fields=3, items=2, depth=2), Counters()),
    "relaxed": lambda: Placer({}, Redactor(), LIMITS, Counters()).relaxed(Limits(items=3)),
    "chosen": lambda: Placer(DECLARED, CHOSEN, LIMITS, Counters()),
    "shown": lambda: Placer(DECLARED, Redactor(), LIMITS, Counters()).unredacted(),
}


SECRETS = st.sampled_from([
    "4111111111111111", "4111 1111 1111 1111", "9001011234568", "https://u:pw@h/", "Bearer abcdefgh",
    "basic dXNlcjpwYXNz", "eyJhbGciOi.eyJzdWIiOi.c2ln", "?token=x", "a?password=x", "key: value",
    "pw=1", "fe80::1", "http=7", "123456789012", "-12345678901",
])  # fmt: skip

PARAMETERS = st.sampled_from([
    "token=abcdef", "a=b", "full=true", "pass%77ord=x", "password=", "=x", "x", "", "a=1;pin=2",
    "n=4111111111111111", "j=eyJhbGciOi.eyJzdWIiOi.c2ln", "u=https://u:pw@h", "b=Bearer abcdefgh",
    "a=?pin=7", "가=나", "x-api.key=7", "a b=c", "[]=1", "'=1", "http=7", "a==b", "x" * 70 + "=1",
])  # fmt: skip

queries = st.lists(PARAMETERS, max_size=4).map("&".join)

lengths = st.sampled_from([63, 64, 65, 511, 512, 513, 1024, 1025, 8191, 8192, 8193])
edges = st.sampled_from([2**31, 2**53, 2**63, 10**10, 10**12, 9 * 10**15, 2**127, 2**1023])

fitting = (
    st.text(max_size=12)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.lists(st.text(max_size=5) | SECRETS, max_size=4)
    | SECRETS
    | queries
    | st.builds(lambda one, count: one * count, st.sampled_from(["x", "가", "😀", "="]), lengths)
    | st.builds(
        lambda edge, near, sign: sign * (edge + near),
        edges,
        st.integers(-2, 2),
        st.sampled_from([1, -1]),
    )
    | st.builds(lambda edge, sign: sign * float(edge), edges, st.sampled_from([1, -1]))
    | st.ip_addresses().map(str)
    | st.sampled_from(TEXTS)
    | st.sampled_from(NUMBERS)
    | st.sampled_from([4222222222222, 9001011234568, 4111111111111111])  # cards, a resident
)

query_names = st.sampled_from(
    [*QUERIES, "url.query", "labels.query", "dns.query", "a.query_string"]
)

any_names = (
    names
    | st.sampled_from(sorted(ecs_fields.types()))
    | st.sampled_from(sorted(DECLARED))
    | query_names
    | st.sampled_from(
        [
            "flowery.open.a",
            "flowery.open.query",
            "container.labels.token",
            "http.part",
            "phone",
            "user.email",
            "customer.name",
            "address",
            "client.address",
            "email.subject",
        ]
    )
)

any_values = fitting | values


@st.composite
def several_layers(draw):
    """Layers that often give the same name, with values of any types."""
    some = st.sampled_from(draw(st.lists(any_names, min_size=1, max_size=5)))
    chosen = some | any_names
    return draw(st.lists(st.dictionaries(chosen, any_values, max_size=6), min_size=1, max_size=3))
