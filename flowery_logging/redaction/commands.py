"""Secrets in command lines, also as lists of arguments: `--password X`, `curl -u kim:X`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.escapes import plain
from flowery_logging.redaction.names import KindOf
from flowery_logging.redaction.nearby import matches_around, places_of
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.quotes import whole_end
from flowery_logging.redaction.values import is_identifier_of, is_nothing

_GAP: Final = r"(?:[\"']?[ \t]{0,4},?[ \t=]{1,8}\\{0,3}[\"']?|[\"'],[\"'])"
"""What stands between an option and its value, in a line and in a list."""

_IN_QUOTES: Final = (
    r"(?:\\{0,3}\"(?=[^\s\"'\\.,;:?|)\]}][^\"'\\\n]{0,255}\\{0,3}\")"
    r"|\\{0,3}'(?=[^\s\"'\\.,;:?|)\]}][^\"'\\\n]{0,255}\\{0,3}'))"
)
"""The quote of a value that stands directly behind its option: `-p'…'`."""

_JOINED: Final = rf"(?:{_GAP}|{_IN_QUOTES})?"

_OPTION: Final = late(
    r"-(?<![\w-].)-?(?P<name>[A-Za-z][\w-]{1,63})"
    r"[ \t]{1,8}(?:(?P<quote>[\"'])(?P<quoted>[^\"'\n]{1,1024})"
    r"|(?!-)(?P<bare>(?:[^\s\"'|;&\\]|\\(?![\"'])){1,1024}))"
)

_FILE: Final = rf"{_GAP}[^\s\"',-][^\s\"',]{{0,255}}"

# The options of programs that take a password, and words of which one stands in each line of the
# program's; the value begins directly behind some of the options.
_PROGRAMS: Final = (
    (r"curl", r"curl", rf"-(?:u|U|-user|-proxy-user){_JOINED}[^\s:\"',]{{0,128}}:"),
    (r"curl wget", r"curl|wget", rf"-(?:b|-cookie){_JOINED}[^\s=\"',]{{1,128}}="),
    (
        r"htpasswd", r"htpasswd",
        # With `-n` there is no file before the name.
        rf"-(?=[A-Za-z]{{0,8}}b)[A-Za-z]{{1,8}}(?:(?<=n)|(?<=n\w)|(?<=n\w\w)|{_FILE}){_GAP}[^\s\"',]{{1,128}}{_GAP}",
    ),
    (r"mysql mariadb 7z", r"mysql\w{0,10}|mariadb\w{0,10}|7z", rf"-p{_IN_QUOTES}?"),
    (r"sshpass", r"sshpass", rf"-p{_JOINED}"),
    (r"redis-cli", r"redis-cli", rf"-a{_GAP}"),
    (
        r"login", rf"(?:docker|podman|helm|oc|az){_GAP}(?:registry{_GAP})?login",
        rf"-p{_GAP}",
    ),
    (r"mongo twine cqlsh", r"mongo\w{0,10}|twine|cqlsh", rf"-p{_GAP}"),
    (r"snmp", r"snmp\w{1,10}", rf"-[AX]{_GAP}"),
    (r"ldap", r"ldap\w{1,10}", rf"-w{_GAP}"),
    (
        r"sqlcmd bcp zip ipmitool mosquitto", r"sqlcmd|bcp|unzip|zip|ipmitool|mosquitto_\w{3}",
        rf"-P{_JOINED}",
    ),
    (r"ssh-keygen", r"ssh-keygen", rf"-[NP]{_GAP}"),
    (
        r"rabbitmqctl", r"rabbitmqctl",
        rf"(?:add_user|change_password){_GAP}[^\s\"',]{{1,128}}{_GAP}",
    ),
    (
        r"chpasswd", r"chpasswd",
        r"(?:echo|printf)(?:[ ]-\w)?[ ]{1,4}[\"']?[\w.@-]{1,64}:(?!\$)",
    ),
    (r"passwd", r"passwd(?=[ ][^\n]{0,128}--stdin)", r"echo(?:[ ]-n)?[ ]{1,4}[\"']?(?!\$)"),
    (r"sudo", r"sudo[ ]+-\w{0,4}S", r"echo(?:[ ]-n)?[ ]{1,4}[\"']?(?!\$)"),
    (r"smbclient", r"smbclient", rf"-U{_GAP}[^\s%\"']{{1,128}}%"),
    (r"openssl", r"openssl", r"pass:"),
    (r"--password-stdin", r"--password-stdin", r"echo(?:[ ]-n)?[ ]{1,4}[\"']?(?!\$)"),
    (
        r"sqlplus sqlldr impdp expdp rman", r"sqlplus|sqlldr|impdp|expdp|rman",
        r"(?<![/@.])[A-Za-z]\w{0,29}/(?=[^\s@/\"']{1,128}@)",
    ),
    (r"openssl", r"openssl", rf"-[kK]{_GAP}"),
    (r"wget http", r"wget|http|https", rf"-a{_GAP}[^\s:\"']{{1,128}}:"),
)  # fmt: skip
_OPENED: Final = late(r"[\"'](?=[^\s\"']*\Z)")
"""The quote that a value stands in: `-u 'kim:…'`."""

_SHORTEST: Final = 4
_LONGEST: Final = 1_024
"""Digits of a password, at least, and its characters in quotes."""

# In a form or query a plus sign stands for the blank behind it: `mysql+-p%24PASSWORD+shop`.
_VARIABLE_OF_FORM: Final = late(
    r"[\"']?\$(?:\{[A-Za-z_]\w{0,63}\}|[A-Z_][A-Z0-9_]{1,63})[\"']?(?:[+&]|\Z)"
)
_VALUE: Final = r"(?P<value>[^\s\"',|;&+][^\s\"']{0,1023})"


def _compiled(program: str, option: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a program and of its option, for `re` with the dash first."""
    first = rf"-(?<![\w-].){option[1:]}" if option[0] == "-" else rf"(?<![\w-]){option}"
    return late(rf"(?<![\w.-])(?:{program})(?![\w.-])"), late(f"{first}{_VALUE}")


_ROWS: Final = tuple(_compiled(program, option) for _, program, option in _PROGRAMS)
_OF_WORDS: Final = {
    word: [row for row, (words, _, _) in enumerate(_PROGRAMS) if word in words.split()]
    for words, _, _ in _PROGRAMS
    for word in words.split()
}

_SETTING: Final = late(
    r"(?<![\w-])config(?:ure)?[ ]set[ ](?P<name>[\w.-]{2,64})[ ]{1,4}"
    r"(?P<value>[^\s\"'|;&]{1,1024})",
    re.IGNORECASE,
)
# `ENV NAME value` of a Dockerfile, and what shells write so.
_VARIABLE: Final = late(
    r"(?<![\w-])(?:ENV|ARG|setenv|setx)[ ]{1,8}(?P<name>[A-Za-z_]\w{1,63})[ ]{1,8}"
    r"(?P<value>\"[^\"\n]{1,1024}|'[^'\n]{1,1024}|[^\s\"'=][^\s\"']{0,1023})"
)
# Of Redis: what is typed, and what MONITOR shows. Bare words are commands' and prose's.
_AUTH: Final = late(
    r"(?<![\w-])(?P<quote>\\{0,15}\")AUTH(?P=quote) (?:(?P=quote)[\w.-]{1,64}(?P=quote) )?"
    r"(?P=quote)(?P<value>[^\"\\\n]{1,512})"
    r"|(?<![\w-])AUTH (?:[\w.-]{1,64} )?"
    r"(?P<bare>(?=[^\s\"']{0,127}\d)(?=[^\s\"']{0,127}[a-z])[^\s\"',;:()=/]{6,128})(?=[\s\"'),;:]|\Z)"
)
_BEFORE: Final = 32
_BEHIND: Final = 1_200
"""Characters around the word that begins these in which all of one stands."""

_PROSE: Final = frozenset({
    "and", "are", "argument", "can", "did", "expects", "flag", "from", "given", "in", "instead",
    "may", "needs", "option", "or", "parameter", "requires", "takes", "to", "via", "when", "with",
    "without",
})  # fmt: skip
"""What stands behind the name of an option where a sentence tells of it."""

_ALONE: Final = "--password-stdin"
"""What tells of no program by itself."""

_NEXT_LINE: Final = late(r"\\\r?\n")
"""Behind it a command goes on."""

SIGNS: Final = (
    "curl", "mysql", "mariadb", "sshpass", "redis0cli", "login", "mongo", "ldap", "sqlcmd", "zip",
    "smbclient", "openssl", "wget", "http0", "0z", "htpasswd", "twine", "sqlplus",
    "sqlldr", "mpdp", "rman", "bcp0", "keygen", "rabbitmq", "sudo", "cqlsh",
    "mosquitto", "ipmitool", "snmp", "passwd0",
)  # fmt: skip
"""One of them stands in each command of `_PROGRAMS`, as `suspicion` sees it."""


_DASH: Final = late(r"-(?:(?<![\w-]-)|(?<=\\[nrt]-))")
"""The beginning of an option, in escapes too; no dash in a word."""


def find(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Yield the values of options that are secrets."""
    text = _NEXT_LINE.sub(_blanks, text)
    may_have_option = has_option(text)
    if may_have_option:
        yield from _options(text, kind_of)
    for match in matches_around(
        _SETTING, text, places_of(text, "onfig", "ONFIG"), _BEFORE, _BEHIND
    ):
        kind = kind_of(match["name"].rpartition(".")[2])
        if kind is not None and not is_nothing(match["value"], equals=False):
            yield Span(*match.span("value"), kind)
    yield from _variables(text, kind_of)
    for match in matches_around(_AUTH, text, places_of(text, "AUTH"), _BEFORE, _BEHIND):
        yield Span(*match.span("value" if match["value"] else "bare"), "value")
    if may_have_option or needs_no_option(text):
        words = {word for word in _OF_WORDS if word in text}
        if words and words != {_ALONE}:
            yield from _of_programs(text, words)


def has_option(text: str) -> bool:
    """Tell whether an option may stand in a text."""
    return "-" in text and _DASH.search(text) is not None


def needs_no_option(text: str) -> bool:
    """Tell whether a program may stand in a text whose secret is behind no option."""
    return (
        "pass:" in text
        or "chpasswd" in text
        or "rabbitmqctl" in text
        or ("@" in text and "/" in text)
    )


def _blanks(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _options(text: str, kind_of: KindOf) -> Iterator[Span]:
    for match in _OPTION.finditer(text):
        kind = "value" if match["name"] == "pass" else kind_of(match["name"])
        group = "quoted" if match["quote"] else "bare"
        if kind is None:
            continue
        start = match.start(group)
        end = whole_end(text, start, match.end(group))
        # In JSON the next line begins with an escape.
        value = text[start:end].partition("\\n")[0].rstrip("\\")
        if not (
            is_nothing(value, equals=False)
            or value.lower() in _PROSE
            or is_identifier_of(match["name"], value.lstrip("[<"))
        ):
            yield Span(start, end, kind)


def _variables(text: str, kind_of: KindOf) -> Iterator[Span]:
    signs = places_of(text, "ENV ", "ARG ", "setenv ", "setx ")
    for match in matches_around(_VARIABLE, text, signs, _BEFORE, _BEHIND):
        kind, value = kind_of(match["name"]), match["value"].strip("\"'")
        if kind is not None and not is_nothing(value, equals=True):
            yield Span(match.end() - len(match["value"].lstrip("\"'")), match.end(), kind)


def _of_programs(text: str, words: set[str]) -> Iterator[Span]:
    start = 0
    for line in text.splitlines(keepends=True):
        for row in {row for word in words if word in line for row in _OF_WORDS[word]}:
            program, option = _ROWS[row]
            if program.search(line):
                for match in option.finditer(line):
                    place, end = match.start("value"), _end(line, match)
                    if _is_one(line[place:end].rstrip("\\")):
                        yield Span(start + place, start + end, "value")
        start += len(line)


def _is_one(value: str) -> bool:
    """Tell whether a value is a password, and neither a variable nor a number: `xargs -P 4 zip`."""
    return not (
        not value
        or is_nothing(value, equals=True)
        or (value.isdigit() and len(value) < _SHORTEST)
        or _VARIABLE_OF_FORM.match(plain(value))
    )


def _end(line: str, match: re.Match[str]) -> int:
    """Return where the value of an option ends: in quotes it may have blanks."""
    start, end = match.span("value")
    quote = _OPENED.search(line, match.start(), start)
    closing = line.find(quote[0], end, end + _LONGEST) if quote else -1
    return max(end, closing)
