"""Starts, stops, kills and restarts the programs; leaves none behind."""

from .elasticsearch import Elasticsearch
from .filebeat import Filebeat
from .process import Process, StartError, wait_until

__all__ = ["Elasticsearch", "Filebeat", "Process", "StartError", "wait_until"]
