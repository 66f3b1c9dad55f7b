"""What Yett knows of Django: finding a project, and describing it to the edge.

Nothing here but `hashers`, which a project may choose, is imported by one. The zygote
calls `discover` before it imports the application and `manifest.manifest` after it, once,
in its single thread.
"""

from .project import DiscoveryError, discover

__all__ = ["DiscoveryError", "discover"]
