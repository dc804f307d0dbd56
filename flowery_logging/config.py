"""The configuration: arguments over FLOWERY_* over OTEL_*/ELASTIC_APM_* over defaults.

Each value remembers where it came from, so that an error can name it (see settings.py).
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from flowery_logging import settings
from flowery_logging.files import platform, stderr
from flowery_logging.files.names import name_bytes
from flowery_logging.settings import Setting

DATASET: Final = "flowery"
DEFAULT_DIRECTORY: Final = "/var/log/flowery"
FALLBACK_DIRECTORY: Final = "logs"
OUTPUTS: Final = ("file", "stdout", "console")
NO_OUTPUT: Final = "none"

_LAUNCHERS: Final = frozenset({
    "", "-c", "-m", "python", "python3", "uvicorn", "gunicorn", "hypercorn", "daphne", "celery",
    "manage", "pytest", "__main__", "flask", "fastapi", "ipython", "multiprocessing",
})  # fmt: skip


_NEAR: Final = 0.7
"""How alike two names must be, what all begin with left out: SERVICE is near to SERVICE_NAME."""


class Config(NamedTuple):
    """The configuration of one `setup()`, checked."""

    service: str
    version: str | None
    environment: str | None
    node: str
    directory: str | None  # absolute; None: no file output
    outputs: tuple[str, ...]
    stderr_level: int | None  # from which on people see events on stderr; None: none
    level: int
    levels: Mapping[str, int]
    flight_recorder: int | None
    max_bytes: int
    max_age: float  # seconds
    keep_bytes: int
    keep_days: float
    dataset: str  # data_stream.dataset, sanitised
    namespace: str  # data_stream.namespace, sanitised
    redact: tuple[str, ...]
    redact_safe: tuple[str, ...]
    redact_personal: tuple[str, ...]  # kinds of personal data
    pseudonyms: tuple[str, ...]
    pseudonym_key: Any  # a `pseudonyms.Key`, which does not show itself; None: none is needed
    baggage: tuple[str, ...]
    fields: Mapping[str, str]
    limits: Mapping[str, int]
    processors: tuple[Callable[..., Any], ...]
    flood: tuple[int, float] | None  # events, seconds; None: all events are written
    sample: tuple[float, float] | None  # the share of traces, seconds of a slow request; None: all
    capture_uncaught: bool
    capture_warnings: bool
    capture_signals: bool
    fallback: str | None  # why the file output was given up, if it was
    sources: Mapping[str, str]  # where each value came from
    base: str  # the working directory of the first set-up, where relative paths begin


PATHS: Final = ("directory", "fields")
"""Settings that may be the path of a file or directory."""

KEYS: Final = ("FLOWERY_LOG_PSEUDONYM_KEY", "FLOWERY_LOG_PSEUDONYM_OLD_KEYS")
"""Read from the environment alone: no argument, and no source file, is to hold a key."""

ATTRIBUTE: Final = "OTEL:"
"""What stands before the name of an attribute of OTEL_RESOURCE_ATTRIBUTES."""

VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "service": ("FLOWERY_SERVICE_NAME", "OTEL_SERVICE_NAME", "OTEL:service.name",
                "ELASTIC_APM_SERVICE_NAME"),
    "version": ("FLOWERY_SERVICE_VERSION", "OTEL:service.version", "ELASTIC_APM_SERVICE_VERSION"),
    "environment": ("FLOWERY_SERVICE_ENVIRONMENT", "OTEL:deployment.environment.name",
                    "OTEL:deployment.environment", "ELASTIC_APM_ENVIRONMENT"),
    "node": ("FLOWERY_SERVICE_NODE_NAME", "OTEL:service.instance.id",
             "ELASTIC_APM_SERVICE_NODE_NAME"),
    "directory": ("FLOWERY_LOG_DIR",),
    "output": ("FLOWERY_LOG_OUTPUT",),
    "stderr_level": ("FLOWERY_LOG_STDERR_LEVEL",),
    "level": ("FLOWERY_LOG_LEVEL",),
    "levels": ("FLOWERY_LOG_LEVELS",),
    "flight_recorder": ("FLOWERY_LOG_FLIGHT_RECORDER",),
    "max_bytes": ("FLOWERY_LOG_MAX_BYTES",),
    "max_age": ("FLOWERY_LOG_MAX_AGE",),
    "keep_bytes": ("FLOWERY_LOG_KEEP_BYTES",),
    "keep_days": ("FLOWERY_LOG_KEEP_DAYS",),
    "dataset": ("FLOWERY_LOG_DATASET",),
    "redact": ("FLOWERY_LOG_REDACT",),
    "redact_safe": ("FLOWERY_LOG_REDACT_SAFE",),
    "redact_personal": ("FLOWERY_LOG_REDACT_PERSONAL",),
    "pseudonyms": ("FLOWERY_LOG_PSEUDONYMS",),
    "baggage": ("FLOWERY_LOG_BAGGAGE",),
    "fields": ("FLOWERY_LOG_FIELDS",),
    "limits": ("FLOWERY_LOG_LIMITS",),
    "processors": (),
    "flood": ("FLOWERY_LOG_FLOOD",),
    "sample": ("FLOWERY_LOG_SAMPLE",),
    "capture_uncaught": ("FLOWERY_LOG_CAPTURE_UNCAUGHT",),
    "capture_warnings": ("FLOWERY_LOG_CAPTURE_WARNINGS",),
    "capture_signals": ("FLOWERY_LOG_CAPTURE_SIGNALS",),
}  # fmt: skip
"""Argument → environment variables, in the order in which they are asked."""

DEFAULTS: Final[Mapping[str, Any]] = {
    "stderr_level": "ERROR",
    "level": "INFO",
    "levels": {},
    "max_bytes": 64 * 1024**2,
    "max_age": 86_400,
    "keep_bytes": 1024**3,
    "keep_days": 7,
    "dataset": DATASET,
    "redact": (),
    "redact_safe": (),
    "redact_personal": (),
    "pseudonyms": (),
    "baggage": (),
    "fields": {},
    "limits": {},
    "processors": (),
    "capture_uncaught": True,
    "capture_warnings": True,
    "capture_signals": True,
}


def resolve(
    arguments: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    previous: Config | None = None,
) -> Config:
    """Return the configuration from the arguments of `setup()` and the environment.

    An argument that is None counts as not given. What a default was taken for in the `previous`
    configuration stays, also where the default would be another one now. Raises ConfigError.
    """
    environ = os.environ if environ is None else environ
    defaults = DEFAULTS if previous is None else {**DEFAULTS, **_found_defaults(previous)}
    found = {name: _find(name, arguments, environ, defaults) for name in VARIABLES}
    base = str(working_directory()) if previous is None else previous.base
    for name in PATHS if previous is not None else ():
        if found[name].source in VARIABLES[name]:  # a daemon has changed its directory since
            found[name] = found[name]._replace(value=absolute(found[name].value, base))
    service = settings.text(found["service"], "service", _default_service)
    environment = settings.optional_text(found["environment"], "environment")
    directory, outputs, fallback = _place(found["directory"], found["output"], service)
    pseudonyms = settings.names(found["pseudonyms"], "pseudonyms")
    known_key = None if previous is None else previous.pseudonym_key
    return Config(
        service=service,
        version=settings.optional_text(found["version"], "version"),
        environment=environment,
        node=settings.text(found["node"], "node", socket.gethostname),
        directory=directory,
        outputs=outputs,
        stderr_level=_stderr_level(found["stderr_level"], outputs),
        level=settings.level(found["level"], "level"),
        levels=settings.levels(found["levels"]),
        flight_recorder=settings.optional_level(found["flight_recorder"], "flight_recorder"),
        max_bytes=settings.size(found["max_bytes"], "max_bytes"),
        max_age=settings.age(found["max_age"], "max_age", unit="s"),
        keep_bytes=settings.size(found["keep_bytes"], "keep_bytes"),
        keep_days=settings.age(found["keep_days"], "keep_days", unit="d") / 86_400,
        dataset=_dataset(found["dataset"], service),
        namespace=stream_part(environment or "default"),
        redact=settings.names(found["redact"], "redact"),
        redact_safe=settings.names(found["redact_safe"], "redact_safe"),
        redact_personal=settings.personal(found["redact_personal"]),
        pseudonyms=pseudonyms,
        pseudonym_key=settings.pseudonym_key(environ, known_key) if pseudonyms else None,
        baggage=settings.baggage(found["baggage"]),
        fields=settings.fields(found["fields"]),
        limits=settings.limits(found["limits"]),
        processors=settings.processors(found["processors"]),
        flood=settings.flood(found["flood"]),
        sample=settings.sample(found["sample"]),
        capture_uncaught=settings.switch(found["capture_uncaught"], "capture_uncaught"),
        capture_warnings=settings.switch(found["capture_warnings"], "capture_warnings"),
        capture_signals=settings.switch(found["capture_signals"], "capture_signals"),
        fallback=fallback,
        sources={name: setting.source for name, setting in found.items()},
        base=base,
    )


def absolute(value: Any, base: str) -> Any:
    """Return a path as it stands from a directory; what is no path, or empty, as it is."""
    is_path = isinstance(value, (str, os.PathLike)) and value
    return os.path.join(base, os.path.expanduser(value)) if is_path else value


def _found_defaults(config: Config) -> dict[str, Any]:
    """Return what the process was asked for: its script, its terminal, its working directory."""
    found: dict[str, Any] = {"service": config.service, "node": config.node}
    if config.fallback is None:
        found |= {"directory": config.directory, "output": config.outputs}
    return {name: value for name, value in found.items() if config.sources[name] == "default"}


def _find(
    name: str,
    arguments: Mapping[str, Any],
    environ: Mapping[str, str],
    defaults: Mapping[str, Any],
) -> Setting:
    given = arguments.get(name)
    if given is not None:
        return Setting(given, "argument")
    for variable in VARIABLES[name]:
        value, source = environ.get(variable), variable
        if variable.startswith(ATTRIBUTE):
            value = _otel_attribute(environ, variable.removeprefix(ATTRIBUTE))
            source = "OTEL_RESOURCE_ATTRIBUTES"
        if value:  # a variable that is empty counts as not set
            return Setting(value, source)
    return Setting(defaults.get(name), "default")


def unknown_variables(environ: Mapping[str, str] | None = None) -> Mapping[str, str | None]:
    """Return the FLOWERY_* variables that no setting reads, each with the nearest one that is."""
    environ = os.environ if environ is None else environ
    known = {name for names in VARIABLES.values() for name in names if "FLOWERY_" in name}
    known.update(KEYS)
    unknown = [
        name for name in environ if name.upper().startswith("FLOWERY_") and name not in known
    ]
    if not unknown:
        return {}
    from difflib import get_close_matches  # needed rarely

    by_end = {name.partition("_")[2]: name for name in sorted(known)}
    near = {
        name: get_close_matches(name.upper().partition("_")[2], by_end, 1, _NEAR)
        for name in sorted(unknown)
    }
    return {name: by_end[found[0]] if found else None for name, found in near.items()}


def _otel_attribute(environ: Mapping[str, str], name: str) -> str | None:
    """Return one attribute of `key=value,key=value` with percent-encoded values (OpenTelemetry)."""
    for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, _, value = pair.partition("=")
        if key.strip() == name:
            return unquote(value.strip())
    return None


def _default_service() -> str:
    """Name a service that has no name: its script, or its folder if that is a server's script."""
    script = Path(sys.argv[0] if sys.argv else "")
    name = script.parent.name if script.stem == "__main__" else script.stem
    name = name if name not in _LAUNCHERS else working_directory().name
    name = os.fsencode(name).decode(errors="replace")  # the name of a file may be any bytes
    return settings.CONTROL.sub("_", name)[:256].strip() or "python"


def _place(
    directory: Setting, output: Setting, service: str
) -> tuple[str | None, tuple[str, ...], str | None]:
    """Return directory, outputs and, where files were wanted but impossible, why."""
    outputs = _outputs(output)
    if "file" not in outputs:
        return None, outputs, None
    if directory.source != "default":
        return _explicit_directory(directory, service), outputs, None
    problems = []
    candidates = (Path(DEFAULT_DIRECTORY), working_directory() / FALLBACK_DIRECTORY)
    for candidate in candidates if directory.value is None else (Path(directory.value),):
        if candidate == Path(DEFAULT_DIRECTORY) and not candidate.is_dir():
            continue
        problem = cannot_write(candidate, service)
        if problem is None:
            return str(candidate), outputs, None
        problems.append(f"{candidate} cannot be written ({problem})")
    others = tuple(name for name in outputs if name != "file")
    reason = " and ".join(problems)
    return None, tuple(dict.fromkeys(("stdout", *others))), reason


def working_directory() -> Path:
    """Return the working directory; `/` where it has been removed."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


def _outputs(setting: Setting) -> tuple[str, ...]:
    if setting.value is None:
        return ("file", "console") if stderr.is_terminal() else ("file",)
    names = setting.value.split(",") if isinstance(setting.value, str) else setting.value
    allowed = f"any of {', '.join(OUTPUTS)}, comma-separated or a sequence; or {NO_OUTPUT}"
    if not isinstance(names, Iterable):
        raise setting.refuse("output", "not a text or a sequence", allowed)
    found = tuple(dict.fromkeys(n.strip() if isinstance(n, str) else n for n in names))
    if found == (NO_OUTPUT,):
        return found
    if not found or any(name not in OUTPUTS for name in found):
        raise setting.refuse("output", "unknown output", allowed)
    return found


def _stderr_level(setting: Setting, outputs: tuple[str, ...]) -> int | None:
    """Return from which level on events are shown on stderr too.

    None where a person sees them anyway: on a terminal, on the console; by default, also where the
    lines themselves go to standard output. None too where nothing is to be written.
    """
    number = settings.level_or_off(setting, "stderr_level")
    seen = {"console", NO_OUTPUT, *(("stdout",) if setting.source == "default" else ())}
    return None if stderr.is_terminal() or seen.intersection(outputs) else number


def _explicit_directory(setting: Setting, service: str) -> str:
    allowed = "a directory that exists or can be created, and can be written"
    try:
        directory = Path(setting.value).expanduser().absolute()
    except (TypeError, ValueError, RuntimeError):
        raise setting.refuse("directory", "not a path", allowed) from None
    problem = "it is empty" if str(setting.value) == "" else cannot_write(directory, service)
    if problem is not None:
        raise setting.refuse("directory", f"cannot be written ({problem})", allowed)
    return str(directory)


def cannot_write(directory: str | Path, service: str = "") -> str | None:
    """Return why no file can be made in a directory (creating it if need be), or None.

    The name that is tried is as long as those of the service's files.
    """
    try:
        platform.make_directory(str(directory), 0o750)
        name = f".flowery-{os.urandom(8).hex()}".ljust(name_bytes(service), "-")
        probe = Path(directory) / name
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        probe.unlink()
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def stream_part(text: str) -> str:
    r"""Return a dataset or namespace as Elasticsearch allows it in a data stream's name.

    Lower case, at most 100 bytes, none of `\ / * ? " < > | space , # : -` nor control characters.
    """
    clean = re.sub(r'[\\/*?"<>|\s,#:\x00-\x1f\x7f-]', "_", text.lower())
    return clean.encode()[:100].decode(errors="ignore").lstrip("._+") or "default"


def _dataset(setting: Setting, service: str) -> str:
    """Return the dataset: one of those that the kit's roles, templates and pipelines serve."""
    allowed = (
        f"{DATASET}, or {DATASET}.<name> for a stream of its own, as {DATASET}.{{service}}, in "
        "which {service} stands for the service's name"
    )
    template = settings.text(setting, "dataset", str)
    try:
        dataset = stream_part(template.format(service=service))
    except (KeyError, IndexError, ValueError, AttributeError):
        raise setting.refuse("dataset", "unknown placeholder", allowed) from None
    if dataset != DATASET and not re.fullmatch(rf"{DATASET}\..*[^._].*", dataset):
        raise setting.refuse("dataset", "not one of ours", allowed)
    return dataset
