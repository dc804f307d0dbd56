"""`flowery-logging validate`: whether lines of any origin are what ECS and Elasticsearch take."""

from flowery_logging.cli.validate.command import validate

__all__ = ["validate"]
