"""zone-audit: proves that a cluster which hosts several network security zones keeps the zone matrix."""

__version__ = "0.1.0"
