"""Starts, stops, kills and restarts the programs; leaves none behind."""

from .elasticsearch import Elasticsearch
from .filebeat import Filebeat
from .kit_filebeat import KitFilebeat
from .process import PATIENCE, Process, StartError, wait_until

__all__ = [
    "PATIENCE",
    "Elasticsearch",
    "Filebeat",
    "KitFilebeat",
    "Process",
    "StartError",
    "wait_until",
]
