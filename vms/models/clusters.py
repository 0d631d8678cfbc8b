"""Clusters: how to reach one, and what of it may be used."""

import re
import ssl
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from alma.accounts.models import Organization, OwnedQuerySet
from alma.sealing import Seal

TOKEN_ID = r"^[^\s!@/:=]{1,64}@[A-Za-z][A-Za-z0-9._-]{1,31}![A-Za-z][A-Za-z0-9._-]{0,127}$"
HOST = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$|^[0-9A-Fa-f:]{2,45}$"
TOKEN = Seal(
    b"alma vms: API token of a cluster",
    "The API token of this cluster was stored under another secret key; enter it again.",
    "TOKEN_UNREADABLE",
)
FINGERPRINT = r"^([0-9A-F]{2}:){31}[0-9A-F]{2}$"
NAME = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?\Z"


def validate_names(names: object) -> None:
    """Only a list of names that may stand in a path. Raises ValidationError."""
    if not isinstance(names, list) or not all(isinstance(name, str) and re.match(NAME, name) for name in names):
        raise ValidationError("Names with commas between them: letters, digits, dots and hyphens.")


def validate_ca(pem: str) -> None:
    """Only certificates that a TLS context takes. Raises ValidationError."""
    if not pem:
        return
    try:
        ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise ValidationError("This is not a PEM bundle of certificates.") from error


class ClusterQuerySet(OwnedQuerySet):
    """Clusters by use."""

    def enabled(self) -> Self:
        """Those that ALMA reads and deploys to."""
        return self.filter(is_enabled=True)


class Cluster(models.Model):
    """A Proxmox cluster and how to reach it.

    Its certificate is verified: by `fingerprint` when that is pinned, else by `ca_pem`, else by the system's CAs.
    Only where the operator's settings allow it can that be turned off for one cluster.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="clusters")
    slug = models.SlugField(max_length=50)
    name = models.CharField(max_length=100)
    host = models.CharField(max_length=253, validators=[RegexValidator(HOST, "A host name or an address.")])
    port = models.PositiveIntegerField(default=8006, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    token_id = models.CharField(
        max_length=230, validators=[RegexValidator(TOKEN_ID, "An API token reads user@realm!name.")]
    )
    token_secret_sealed = models.TextField(blank=True, editable=False)
    ca_pem = models.TextField(
        "CA certificates", blank=True, validators=[validate_ca],
        help_text="PEM of the cluster's CA (pve-root-ca.pem) or of its own certificate. Empty: the system's CAs.",
    )  # fmt: skip
    fingerprint = models.CharField(
        "certificate fingerprint", max_length=95, blank=True,
        validators=[RegexValidator(FINGERPRINT, "SHA-256 of the certificate: 32 pairs of hex digits with colons.")],
        help_text="Pins this one certificate, in place of any CA.",
    )  # fmt: skip
    verifies_tls = models.BooleanField("verify the certificate", default=True)
    is_sandbox = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    vmid_first = models.PositiveIntegerField(default=5000, validators=[MinValueValidator(100)])
    vmid_last = models.PositiveIntegerField(default=999_999, validators=[MaxValueValidator(999_999_999)])
    vmid_next = models.PositiveIntegerField(default=0, editable=False, help_text="Numbers below were given out.")
    parallel_limit = models.PositiveSmallIntegerField(
        default=4, validators=[MinValueValidator(1)], help_text="Guests that are created at the same time."
    )
    default_storage = models.CharField(max_length=100, blank=True, help_text="Empty: the one with the most room.")
    default_bridge = models.CharField(max_length=40, blank=True, help_text="Empty: the first one of the node.")
    pool = models.CharField(
        max_length=100, blank=True, validators=[RegexValidator(NAME, "The name of a pool.")],
        help_text="New guests become members of this pool. Empty: of none.",
    )  # fmt: skip
    chosen_nodes = models.JSONField(
        default=list, blank=True, validators=[validate_names], help_text="New guests go to these alone. Empty: to any."
    )
    chosen_storages = models.JSONField(
        default=list, blank=True, validators=[validate_names], help_text="Disks go to these alone. Empty: to any."
    )
    encrypting_storages = models.JSONField(
        default=list, blank=True, validators=[validate_names],
        help_text="All storages that encrypt what lies on them; Proxmox cannot tell. Empty: not known of any.",
    )  # fmt: skip
    version = models.CharField(max_length=40, blank=True, editable=False)
    preflight = models.JSONField(null=True, blank=True, editable=False, help_text="What the last check found.")
    unreachable_since = models.DateTimeField(null=True, blank=True, editable=False)
    last_read_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True, editable=False)
    compared_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When all of its guests were last compared with the ledger."
    )

    objects = ClusterQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="cluster_slug"),
            models.CheckConstraint(condition=Q(vmid_first__lte=F("vmid_last")), name="cluster_vmid_range"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The page on which its nodes, guests and tasks are watched."""
        return reverse("vms:cluster", args=[self.slug])

    def clean(self) -> None:
        """An unverified connection is the operator's to allow, and nobody else's. Raises ValidationError."""
        if not self.verifies_tls and not settings.ALMA_CLUSTER_ALLOW_UNVERIFIED:
            message = "The certificate must be verified here; ALMA_CLUSTER_ALLOW_UNVERIFIED would allow not to."
            raise ValidationError({"verifies_tls": message})

    @property
    def stream(self) -> str:
        """Where events of the cluster and its guests are told."""
        return f"cluster:{self.pk}"

    def encrypts(self, storage: str) -> bool | None:
        """Whether what lies on a storage is encrypted at rest, as an operator says; None when nobody has said anything."""
        return storage in self.encrypting_storages if self.encrypting_storages else None

    @property
    def drift_count(self) -> int:
        """Guests that somebody should look at: those that drifted, and orphans that wait."""
        drifts: int = self.drifts.filter(state="open").count()
        waiting: int = self.strays.filter(state__in=["quarantined", "removing"]).count()
        return drifts + waiting

    @property
    def token_secret(self) -> str:
        """The secret half of the API token. Raises Unavailable when it cannot be opened any more."""
        return TOKEN.unseal(self.token_secret_sealed)

    def seal(self, secret: str) -> None:
        """Take a new secret; save() stores it."""
        self.token_secret_sealed = TOKEN.seal(secret)
