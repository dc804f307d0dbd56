"""The comparison of other people's suites: what is allowed, and what fails."""

from tests.suites.compare import allowed, findings
from tests.suites.differences import DIFFERENCES, Difference

PASSED, FAILED = ("passed", ""), ("failed", "AssertionError: 5")
TABLE = (
    Difference("django", ("active",), "on purpose", ("a", "b")),
    Difference("django", ("after",), "on purpose", ("c",)),
)


def texts(without, with_us, table=frozenset()):
    return {finding.test: finding.text for finding in findings(without, with_us, set(table))}


def test_equal_outcomes_are_no_finding():
    assert texts({"a": PASSED, "b": FAILED}, {"a": PASSED, "b": ("failed", "elsewhere")}) == {}


def test_an_unknown_difference_is_one_with_its_reason():
    found = texts({"a": PASSED, "b": PASSED}, {"a": FAILED, "b": PASSED})
    assert found == {"a": "passed without the library, failed with it. AssertionError: 5"}


def test_a_test_that_is_not_run_or_newly_passes_differs_too():
    found = texts({"a": PASSED, "b": FAILED}, {"b": PASSED, "c": PASSED})
    assert found.keys() == {"a", "b", "c"}
    assert found["a"] == "passed without the library, not run with it."


def test_a_difference_of_the_table_is_none_and_one_that_is_gone_is_one():
    assert texts({"a": PASSED}, {"a": FAILED}, {"a"}) == {}
    gone = texts({"a": PASSED}, {"a": PASSED}, {"a", "renamed"})
    assert gone.keys() == {"a", "renamed"}
    assert "strike it off" in gone["a"]


def test_the_table_is_read_by_suite_and_mode():
    assert allowed(TABLE, "django", "active") == {"a", "b"}
    assert allowed(TABLE, "django", "after") == {"c"}
    assert allowed(TABLE, "pytest", "active") == set()


def test_each_row_of_the_table_has_a_reason_and_tests():
    assert all(row.reason.endswith(".") and row.tests and row.modes for row in DIFFERENCES)
