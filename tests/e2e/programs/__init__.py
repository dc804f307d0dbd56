"""Obtains the real programs once, into a cache folder that later runs reuse."""

from .cache import Cache
from .elasticsearch import elasticsearch_home
from .filebeat import filebeat_binary
from .tools import MissingToolError, find_jdk

__all__ = ["Cache", "MissingToolError", "elasticsearch_home", "filebeat_binary", "find_jdk"]
