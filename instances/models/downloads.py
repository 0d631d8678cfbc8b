"""Models that were asked for from elsewhere, and whose they are."""

from django.db import models
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet
from alma.jobs.models import Job
from alma.sealing import Seal

TOKEN = Seal(
    b"alma instances: token of a download", "The token of this download was stored under another secret key; ask for it again.",
    "TOKEN_UNREADABLE",
)  # fmt: skip


class DownloadQuerySet(OwnedQuerySet):
    """Downloads by how far they are."""

    def open(self) -> "DownloadQuerySet":
        """Those whose job has not ended."""
        return self.filter(job__state__in=Job.OPEN)


class Download(models.Model):
    """Files of a repository that are to be, or were, fetched into the folder of models. Its job does it, and remembers it
    for a while; the row stays for as long as the files do, for it says whose they are."""

    class Format(models.TextChoices):
        GGUF = "gguf"
        SAFETENSORS = "safetensors"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="downloads")
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="download")
    node = models.CharField(max_length=64, default="main", help_text="The machine that it is fetched to.")
    repo = models.CharField(max_length=200)
    revision = models.CharField(max_length=100)
    tag = models.CharField(max_length=60, blank=True, help_text="Which quantisation, as its files are named.")
    file = models.CharField(max_length=300, blank=True, help_text="One file alone, as the repository names it.")
    format = models.CharField(max_length=16, choices=Format, default=Format.GGUF)
    commit = models.CharField(max_length=64, blank=True, help_text="Which the files are of, once that is known.")
    files = models.JSONField(
        default=list, help_text="Path, size, checksum, and whether the file came with this download."
    )
    total_bytes = models.BigIntegerField(null=True)
    fetched_bytes = models.BigIntegerField(default=0)
    current_file = models.CharField(max_length=300, blank=True)
    token_sealed = models.TextField(blank=True, editable=False)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = DownloadQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["organization", "repo"], name="download_repo")]

    def __str__(self) -> str:
        return f"{self.repo}:{self.tag}" if self.tag else self.repo

    @property
    def percentage(self) -> int:
        """How much of it has come, 0 while that is not known."""
        return int(100 * self.fetched_bytes / self.total_bytes) if self.total_bytes else 0

    @property
    def path(self) -> str:
        """What an instance calls the model, once its files are known."""
        if not self.files:
            return ""
        return self.repo if self.format == self.Format.SAFETENSORS else str(self.files[0]["path"])
