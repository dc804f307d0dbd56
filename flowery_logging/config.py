"""The configuration: arguments over FLOWERY_* over OTEL_*/ELASTIC_APM_* over defaults.

Each value remembers where it came from, so that an error can name it.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

DEFAULT_DIRECTORY: Final = "/var/log/flowery"
FALLBACK_DIRECTORY: Final = "logs"
OUTPUTS: Final = ("file", "stdout", "console")

_LAUNCHERS: Final = frozenset({
    "", "-c", "-m", "python", "python3", "uvicorn", "gunicorn", "hypercorn", "daphne", "celery",
    "manage", "pytest", "__main__", "flask", "fastapi", "ipython", "multiprocessing",
})  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SIZE = re.compile(r"(\d+)\s*([kmg]?)(?:i?b)?", re.IGNORECASE)
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)", re.IGNORECASE)
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_BYTES: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


class ConfigError(ValueError):
    """A value of the configuration cannot be used; the text says which, from where, what may be."""


class Setting(NamedTuple):
    """A value and where it came from."""

    value: Any
    source: str  # "argument", an environment variable's name, or "default"

    def refuse(self, name: str, reason: str, allowed: str) -> ConfigError:
        """Return the error that names this value, its source and what is allowed."""
        origin = {
            "argument": f"argument {name}= of setup()",
            "default": "the default",
        }.get(self.source, f"environment variable {self.source}")
        return ConfigError(f"{name}: {reason}: {self.value!r} (from {origin}); allowed: {allowed}")


class Config(NamedTuple):
    """The configuration of one `setup()`, checked."""

    service: str
    version: str | None
    environment: str | None
    node: str
    directory: str | None  # absolute; None: no file output
    outputs: tuple[str, ...]
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
    redact_messages: bool
    fields: Mapping[str, str]
    limits: Mapping[str, int]
    processors: tuple[Callable[..., Any], ...]
    capture_uncaught: bool
    capture_warnings: bool
    fallback: str | None  # why the file output was given up, if it was
    sources: Mapping[str, str]  # where each value came from


# Argument → environment variables, in the order in which they are asked.
_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "service": ("FLOWERY_SERVICE_NAME", "OTEL_SERVICE_NAME", "OTEL:service.name",
                "ELASTIC_APM_SERVICE_NAME"),
    "version": ("FLOWERY_SERVICE_VERSION", "OTEL:service.version", "ELASTIC_APM_SERVICE_VERSION"),
    "environment": ("FLOWERY_SERVICE_ENVIRONMENT", "OTEL:deployment.environment.name",
                    "OTEL:deployment.environment", "ELASTIC_APM_ENVIRONMENT"),
    "node": ("FLOWERY_SERVICE_NODE_NAME", "OTEL:service.instance.id",
             "ELASTIC_APM_SERVICE_NODE_NAME"),
    "directory": ("FLOWERY_LOG_DIR",),
    "output": ("FLOWERY_LOG_OUTPUT",),
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
    "redact_messages": ("FLOWERY_LOG_REDACT_MESSAGES",),
    "fields": ("FLOWERY_LOG_FIELDS",),
    "limits": ("FLOWERY_LOG_LIMITS",),
    "processors": (),
    "capture_uncaught": ("FLOWERY_LOG_CAPTURE_UNCAUGHT",),
    "capture_warnings": ("FLOWERY_LOG_CAPTURE_WARNINGS",),
}  # fmt: skip

DEFAULTS: Final[Mapping[str, Any]] = {
    "level": "INFO",
    "levels": {},
    "max_bytes": 64 * 1024**2,
    "max_age": 86_400,
    "keep_bytes": 1024**3,
    "keep_days": 7,
    "dataset": "flowery",
    "redact": (),
    "redact_safe": (),
    "redact_messages": False,
    "fields": {},
    "limits": {},
    "processors": (),
    "capture_uncaught": True,
    "capture_warnings": True,
}


def resolve(arguments: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Config:
    """Return the configuration from the arguments of `setup()` and the environment.

    An argument that is None counts as not given. Raises ConfigError.
    """
    environ = os.environ if environ is None else environ
    settings = {name: _find(name, arguments, environ) for name in _VARIABLES}
    service = _text(settings["service"], "service", _default_service)
    environment = _optional_text(settings["environment"], "environment")
    directory, outputs, fallback = _place(settings["directory"], settings["output"])
    return Config(
        service=service,
        version=_optional_text(settings["version"], "version"),
        environment=environment,
        node=_text(settings["node"], "node", socket.gethostname),
        directory=directory,
        outputs=outputs,
        level=_level(settings["level"], "level"),
        levels=_levels(settings["levels"]),
        flight_recorder=_optional_level(settings["flight_recorder"], "flight_recorder"),
        max_bytes=_size(settings["max_bytes"], "max_bytes"),
        max_age=_age(settings["max_age"], "max_age", unit="s"),
        keep_bytes=_size(settings["keep_bytes"], "keep_bytes"),
        keep_days=_age(settings["keep_days"], "keep_days", unit="d") / 86_400,
        dataset=_dataset(settings["dataset"], service),
        namespace=stream_part(environment or "default"),
        redact=_names(settings["redact"], "redact"),
        redact_safe=_names(settings["redact_safe"], "redact_safe"),
        redact_messages=_switch(settings["redact_messages"], "redact_messages"),
        fields=_fields(settings["fields"]),
        limits=_limits(settings["limits"]),
        processors=_processors(settings["processors"]),
        capture_uncaught=_switch(settings["capture_uncaught"], "capture_uncaught"),
        capture_warnings=_switch(settings["capture_warnings"], "capture_warnings"),
        fallback=fallback,
        sources={name: setting.source for name, setting in settings.items()},
    )


def _find(name: str, arguments: Mapping[str, Any], environ: Mapping[str, str]) -> Setting:
    given = arguments.get(name)
    if given is not None:
        return Setting(given, "argument")
    for variable in _VARIABLES[name]:
        value, source = environ.get(variable), variable
        if variable.startswith("OTEL:"):
            value = _otel_attribute(environ, variable.removeprefix("OTEL:"))
            source = "OTEL_RESOURCE_ATTRIBUTES"
        if value:  # a variable that is empty counts as not set
            return Setting(value, source)
    return Setting(DEFAULTS.get(name), "default")


def _otel_attribute(environ: Mapping[str, str], name: str) -> str | None:
    """Return one attribute of `key=value,key=value` with percent-encoded values (OpenTelemetry)."""
    for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, _, value = pair.partition("=")
        if key.strip() == name:
            return unquote(value.strip())
    return None


def _optional_text(setting: Setting, name: str) -> str | None:
    return None if setting.value is None else _text(setting, name, str)


def _text(setting: Setting, name: str, default: Callable[[], str]) -> str:
    value = default() if setting.value is None else setting.value
    allowed = "a text of 1 to 256 characters without control characters"
    if not isinstance(value, str):
        raise setting.refuse(name, "not a text", allowed)
    if not value.strip():
        raise setting.refuse(name, "empty", allowed)
    if _CONTROL.search(value):
        raise setting.refuse(name, "has control characters", allowed)
    if len(value) > 256:
        raise setting.refuse(name, f"has {len(value)} characters", allowed)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise setting.refuse(name, "is not valid Unicode", allowed) from None
    return value


def _default_service() -> str:
    """Name a service that has no name: its script, or its folder if that is a server's script."""
    script = Path(sys.argv[0] if sys.argv else "")
    name = script.parent.name if script.stem == "__main__" else script.stem
    name = name if name not in _LAUNCHERS else _working_directory().name
    return _CONTROL.sub("_", name)[:256].strip() or "python"


def _place(directory: Setting, output: Setting) -> tuple[str | None, tuple[str, ...], str | None]:
    """Return directory, outputs and, where files were wanted but impossible, why."""
    outputs = _outputs(output)
    if "file" not in outputs:
        return None, outputs, None
    if directory.value is not None:
        return _explicit_directory(directory), outputs, None
    problems = []
    for candidate in (Path(DEFAULT_DIRECTORY), _working_directory() / FALLBACK_DIRECTORY):
        if candidate == Path(DEFAULT_DIRECTORY) and not candidate.is_dir():
            continue
        problem = _cannot_write(candidate)
        if problem is None:
            return str(candidate), outputs, None
        problems.append(f"{candidate} cannot be written ({problem})")
    others = tuple(name for name in outputs if name != "file")
    reason = " and ".join(problems)
    return None, tuple(dict.fromkeys(("stdout", *others))), reason


def _working_directory() -> Path:
    """Return the working directory; `/` where it has been removed."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


def _outputs(setting: Setting) -> tuple[str, ...]:
    if setting.value is None:
        terminal = sys.stderr is not None and sys.stderr.isatty()
        return ("file", "console") if terminal else ("file",)
    names = setting.value.split(",") if isinstance(setting.value, str) else setting.value
    allowed = f"any of {', '.join(OUTPUTS)}, comma-separated or a sequence"
    if not isinstance(names, Iterable):
        raise setting.refuse("output", "not a text or a sequence", allowed)
    found = tuple(dict.fromkeys(n.strip() if isinstance(n, str) else n for n in names))
    if not found or any(name not in OUTPUTS for name in found):
        raise setting.refuse("output", "unknown output", allowed)
    return found


def _explicit_directory(setting: Setting) -> str:
    allowed = "a directory that exists or can be created, and can be written"
    try:
        directory = Path(setting.value).expanduser().absolute()
    except (TypeError, ValueError, RuntimeError):
        raise setting.refuse("directory", "not a path", allowed) from None
    problem = "it is empty" if str(setting.value) == "" else _cannot_write(directory)
    if problem is not None:
        raise setting.refuse("directory", f"cannot be written ({problem})", allowed)
    return str(directory)


def _cannot_write(directory: Path) -> str | None:
    """Return why no file can be made in a directory (creating it if need be), or None."""
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        probe = directory / f".flowery-{os.urandom(8).hex()}"
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        probe.unlink()
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


_LEVEL_NAMES: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def check_level(value: Any, name: str = "level") -> int:
    """Return the number of a level given to a function. Raises ConfigError."""
    return _level(Setting(value, "argument"), name)


def _optional_level(setting: Setting, name: str) -> int | None:
    return None if setting.value is None else _level(setting, name)


def _level(setting: Setting, name: str) -> int:
    value = setting.value
    if isinstance(value, str):
        text = value.strip().upper()
        number = int(text) if text.isdecimal() else logging.getLevelName(text)
        value = number
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1000:
        return value
    allowed = f"{', '.join(_LEVEL_NAMES)}, a level made with logging.addLevelName, or its number"
    raise setting.refuse(name, "unknown level", allowed)


def _levels(setting: Setting) -> Mapping[str, int]:
    value = setting.value
    allowed = 'logger names with levels: {"sqlalchemy": "WARNING"} or sqlalchemy=WARNING,a.b=INFO'
    if isinstance(value, str):
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        if any(not sign or not name.strip() for name, sign, _ in pairs):
            raise setting.refuse("levels", "not name=LEVEL", allowed)
        value = {name.strip(): level for name, _, level in pairs}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise setting.refuse("levels", "not a mapping", allowed)
    return {
        name: _level(Setting(level, setting.source), f"levels[{name!r}]")
        for name, level in value.items()
    }


def _size(setting: Setting, name: str) -> int:
    value = setting.value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        value = int(match[1]) * _BYTES[match[2].lower()]
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise setting.refuse(name, "not a size", "bytes as a positive integer, or 100kB, 64MB, 1GB")


def _age(setting: Setting, name: str, *, unit: str) -> float:
    """Return seconds; `unit` is that of a bare number."""
    value = setting.value
    match = _AGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        value, unit = float(match[1]), match[2].lower() or unit
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 10**9:
        return float(value) * _SECONDS[unit]
    word = {"s": "seconds", "d": "days"}[unit] if unit in "sd" else unit
    raise setting.refuse(name, "not an age", f"{word} as a positive number, or 30m, 12h, 7d")


def stream_part(text: str) -> str:
    """Return a dataset or namespace as Elasticsearch allows it in a data stream's name.

    Lower case, at most 100 bytes, none of `\\ / * ? " < > | space , # : -` nor control characters.
    """
    clean = re.sub(r'[\\/*?"<>|\s,#:\x00-\x1f\x7f-]', "_", text.lower())
    return clean.encode()[:100].decode(errors="ignore").lstrip("._+") or "default"


def _dataset(setting: Setting, service: str) -> str:
    text = _text(setting, "dataset", str)
    try:
        return stream_part(text.format(service=service))
    except (KeyError, IndexError, ValueError, AttributeError):
        allowed = "a text, in which {service} stands for the service's name"
        raise setting.refuse("dataset", "unknown placeholder", allowed) from None


def _names(setting: Setting, name: str) -> tuple[str, ...]:
    value = setting.value.split(",") if isinstance(setting.value, str) else setting.value
    allowed = "names of keys, as a sequence or comma-separated"
    if not isinstance(value, Iterable) or isinstance(value, (bytes, Mapping)):
        raise setting.refuse(name, "not a sequence", allowed)
    names = tuple(value)
    if not all(isinstance(item, str) and item.strip() for item in names):
        raise setting.refuse(name, "not names", allowed)
    return tuple(item.strip() for item in names)


def _switch(setting: Setting, name: str) -> bool:
    value = setting.value
    if isinstance(value, str):
        value = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False,
                 "no": False, "off": False}.get(value.strip().lower())  # fmt: skip
    if isinstance(value, bool):
        return value
    raise setting.refuse(name, "neither yes nor no", "True or False (1, 0, true, false, yes, no)")


def _processors(setting: Setting) -> tuple[Callable[..., Any], ...]:
    value = setting.value
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        found = tuple(value)
        if all(map(callable, found)):
            return found
    raise setting.refuse("processors", "not callables", "a sequence of callables event → event")


def _fields(setting: Setting) -> Mapping[str, str]:
    """Return the team's own typed fields: a mapping, or the path of a JSON file that has one."""
    if not setting.value:
        return {}
    from flowery_logging.ecs.declared import check_declared, read_declared

    value = setting.value
    try:
        return check_declared(value if isinstance(value, Mapping) else read_declared(value))
    except ValueError as error:
        allowed = 'names with Elasticsearch types, {"flowery.order.id": "long"}, or a JSON file'
        raise setting.refuse("fields", str(error), allowed) from None


def _limits(setting: Setting) -> Mapping[str, int]:
    """Return the limits of one event that differ from the defaults."""
    if not setting.value:
        return {}
    from flowery_logging.ecs.limits import LEAST, MOST

    allowed = ", ".join(
        f"{name} {least} to {getattr(MOST, name)}" for name, least in LEAST._asdict().items()
    )
    value = setting.value
    if isinstance(value, str):
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        value = {
            name.strip(): int(text) if text.strip().isdecimal() else text for name, _, text in pairs
        }
    if not isinstance(value, Mapping):
        raise setting.refuse("limits", "not a mapping", allowed)
    for name, number in value.items():
        least, most = getattr(LEAST, str(name), None), getattr(MOST, str(name), None)
        if least is None or most is None:
            raise setting.refuse("limits", f"unknown limit {name!r}", allowed)
        if type(number) is not int or not least <= number <= most:
            raise setting.refuse("limits", f"{name} cannot be {number!r}", allowed)
    return dict(value)
