"""What is priced."""

from django.db import models


class Item(models.TextChoices):
    """Amounts are for a month; a GB is 1024³ bytes."""

    MACHINE = "machine", "A machine"
    CORE = "core", "A core"
    MEMORY_GB = "memory_gb", "A GB of memory"
    DISK_GB = "disk_gb", "A GB of disk"
    BACKUP_GB = "backup_gb", "A GB of disk that is backed up"
    GPU = "gpu", "A GPU"
    CONTAINER_FACTOR = "container_factor", "Factor on cores and memory of containers"
