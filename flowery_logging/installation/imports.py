"""Modules that a program imports after `setup()`: who looks for them looks once they are there.

`setup()` stands at the top, so that what it has to know of (an agent, gevent) often comes later.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from flowery_logging.signalled import sheltered


class Imports:
    """A finder of the import system that finds nothing itself: it asks those behind it.

    Args:
        names: of the modules.
        make_way: called with the name of one before it is executed.
        look: called when it has been executed, also in vain. What both raise is not seen.
    """

    def __init__(
        self, names: Collection[str], make_way: Callable[[str], None], look: Callable[[], None]
    ) -> None:
        self._names: Final = frozenset(names)
        self._make_way = make_way
        self._look = look
        self._asking = _Asking()

    def install(self) -> None:
        """Stand in front of all finders that are there."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def uninstall(self) -> None:
        """Leave the finders as they are without this one."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that others find for one of the modules, with a loader that tells us."""
        if name not in self._names or name in self._asking.names:
            return None  # the latter where a finder that we ask asks everybody
        self._asking.names = (*self._asking.names, name)
        try:
            spec = self._found(name, path, target)
        finally:
            self._asking.names = self._asking.names[:-1]
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader, self)  # type: ignore[assignment]
        return spec

    def _found(self, *asked: Any) -> ModuleSpec | None:
        for finder in [*sys.meta_path]:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = None if find is None else find(*asked)
            if spec is not None:
                return spec
        return None

    def execute(self, module: ModuleType, theirs: Any) -> None:
        """Execute a module by its loader."""
        with sheltered:
            self._make_way(module.__name__)
        try:
            theirs.exec_module(module)
        finally:
            if self in sys.meta_path:
                with sheltered:
                    self._look()


class _Asking(threading.local):
    """The modules that this thread asks the other finders for."""

    names: tuple[str, ...] = ()


class _Loader:
    """Stands for a module's loader until the module has been executed."""

    def __init__(self, theirs: Any, imports: Imports) -> None:
        self._theirs = theirs
        self._imports = imports

    def __getattr__(self, name: str) -> object:
        return getattr(self._theirs, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as its own loader does."""
        create = getattr(self._theirs, "create_module", None)
        made: ModuleType | None = None if create is None else create(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own loader back, and tell when it has been executed."""
        module.__loader__ = self._theirs
        if module.__spec__ is not None:
            module.__spec__.loader = self._theirs
        self._imports.execute(module, self._theirs)
