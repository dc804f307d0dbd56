"""Where lines go: one process, one series of files, each line committed with its number."""

from flowery_logging.files.log_files import FileSettings, LogFiles
from flowery_logging.files.stream import Nowhere, Stream
from flowery_logging.files.writer import Writer

__all__ = ["FileSettings", "LogFiles", "Nowhere", "Stream", "Writer"]
