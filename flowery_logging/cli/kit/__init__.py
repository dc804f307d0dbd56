"""The command `kit`: writes the kit's files out for a team, and installs its templates."""

from flowery_logging.cli.kit.command import kit

__all__ = ["kit"]
