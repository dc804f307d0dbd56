"""Phone numbers: found however they are written, and one form of each."""

from __future__ import annotations

import pytest

from flowery_logging.redaction.phones import e164, find

SAME = [
    "010-1234-5678", "01012345678", "010 1234 5678", "010.1234.5678", "(010) 1234-5678",
    "+82 10 1234 5678", "+821012345678", "+82-10-1234-5678", "+82 (0)10-1234-5678",
    "+82 010 1234 5678", "82-10-1234-5678", "821012345678", "0082-10-1234-5678",
    "00700-82-10-1234-5678", "tel:+82-10-1234-5678", "tel:+82-10-1234-5678;ext=3",
    "010-1234-5678 ext. 12", "  010-1234-5678\n", "０１０－１２３４－５６７８", "010\u20111234\u20115678",
    "010\u00a01234\u00a05678", "%2B821012345678",
    "1012345678",  # an integer's; only a name tells what it is
]  # fmt: skip


@pytest.mark.parametrize("text", SAME)
def test_one_number_has_one_form(text: str) -> None:
    assert e164(text) == "+821012345678"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("02-123-4567", "+8221234567"),
        ("(02) 123-4567", "+8221234567"),
        ("+82 2 123 4567", "+8221234567"),
        ("031-1234-5678", "+823112345678"),
        ("070-1234-5678", "+827012345678"),
        ("0505-123-4567", "+825051234567"),
        ("011-234-5678", "+82112345678"),
        ("1588-1234", "+8215881234"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_other_numbers_have_their_own(text: str, number: str) -> None:
    assert e164(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "kim", "12", "10.0.0.1", "2026-11-27", "010-12-34", "+", "+0 10", "kim@a.kr", "1" * 30],
)
def test_what_is_no_number_has_none(text: str) -> None:
    assert e164(text) is None


@pytest.mark.parametrize("text", [text.strip() for text in SAME[:-1] if "ext" not in text])
@pytest.mark.parametrize("around", ["{}", "전화번호는{}입니다", '{{"x":"{}"}}', "({})", "a={}&b=1"])
def test_a_number_is_found_where_it_stands(text: str, around: str) -> None:
    whole = around.format(text)
    (span,) = find(whole)
    at = whole.index(text)
    assert at <= span.start <= at + len("tel:")
    assert span.end == at + len(text)


@pytest.mark.parametrize(
    "text",
    [
        "order 202611271234",
        "took 1012345678 ns",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        "2026-11-27T12:34:56.123456+09:00",
        "10.0.0.1:8080 192.168.100.200",
        "1588-1234 080-123-4567",
        "0.01012345678",
        "2010-1234-5678",
        "010-1234-56789",
        "orderNo 02-1234-56789",
        "0x7f010123456780",
        "sha 01012345678abcdef",
        "978-89-1234-567-8",
        "+0900",
    ],
)
def test_other_digits_are_none(text: str) -> None:
    assert list(find(text)) == []
