"""The form in which a cluster is registered and changed."""

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.validators import ProhibitNullCharactersValidator, RegexValidator

from vms.models import HOST, TOKEN_ID, Cluster, validate_ca, validate_names
from vms.models.clusters import FINGERPRINT, NAME
from vms.proxmox.addresses import is_address, refusal_of

PORT = 8006
_PLAIN = ProhibitNullCharactersValidator()
_OPTIONAL_NAME = [RegexValidator(NAME, "A name: letters, digits, dots, hyphens and underscores.")]


class Names(forms.CharField):
    """Names with commas or spaces between them, as a list."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        """Each name once, in the order given."""
        return list(dict.fromkeys(name for name in re.split(r"[,\s]+", str(value or "")) if name))

    def prepare_value(self, value: Any) -> Any:
        """The list as it was typed."""
        return ", ".join(value) if isinstance(value, list) else value

    def run_validators(self, value: Any) -> None:
        """Only names that may stand in a path."""
        validate_names(value)


class ClusterForm(forms.Form):
    """Where a cluster is, how it proves who it is, and what of it ALMA may use."""

    name = forms.CharField(max_length=100, validators=[_PLAIN], help_text="As it is called on ALMA's pages.")
    url = forms.CharField(
        max_length=300, label="URL", widget=forms.TextInput(attrs={"placeholder": "https://pve.example.org:8006", "spellcheck": "false"}),
        help_text="Of any node, or of a proxy in front of all.",
    )  # fmt: skip
    token_id = forms.CharField(
        max_length=230, label="API token", validators=[RegexValidator(TOKEN_ID, "An API token reads user@realm!name.")],
        widget=forms.TextInput(attrs={"placeholder": "alma@pve!alma", "spellcheck": "false", "autocomplete": "off"}),
    )  # fmt: skip
    token_secret = forms.CharField(
        max_length=200, required=False, label="Secret of the token", validators=[_PLAIN],
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text="Stored sealed, and never shown again.",
    )  # fmt: skip
    fingerprint = forms.CharField(
        max_length=120, required=False, label="Fingerprint of the certificate",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        help_text="SHA-256, as Proxmox shows it under Node, Certificates. Pins that one certificate.",
    )  # fmt: skip
    ca_pem = forms.CharField(
        max_length=200_000, required=False, label="CA certificates", strip=True, validators=[validate_ca],
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false"}),
        help_text="PEM, such as /etc/pve/pve-root-ca.pem. Without it and without a fingerprint: the system's authorities.",
    )  # fmt: skip
    verifies_tls = forms.BooleanField(required=False, label="Verify the certificate")
    vmid_first = forms.IntegerField(min_value=100, max_value=999_999_999, label="First VMID")
    vmid_last = forms.IntegerField(min_value=100, max_value=999_999_999, label="Last VMID")
    parallel_limit = forms.IntegerField(
        min_value=1, max_value=100, label="Guests created at a time", help_text="4 is kind to spinning disks."
    )
    pool = forms.CharField(
        max_length=100, required=False, validators=_OPTIONAL_NAME, help_text="New guests become its members."
    )
    chosen_nodes = Names(required=False, label="Nodes", max_length=2000, help_text="Empty: any node.")
    chosen_storages = Names(
        required=False, label="Storages", max_length=2000, help_text="Empty: any storage for disks."
    )
    encrypting_storages = Names(
        required=False, label="Storages that encrypt", max_length=2000,
        help_text="Proxmox cannot tell. Name all on which data is encrypted at rest: the others count as plain. Empty: not known.",
    )  # fmt: skip
    default_storage = forms.CharField(
        max_length=100, required=False, label="Preferred storage", validators=_OPTIONAL_NAME,
        help_text="Empty: the one with the most room.",
    )  # fmt: skip
    default_bridge = forms.CharField(
        max_length=40, required=False, label="Preferred bridge", validators=_OPTIONAL_NAME,
        help_text="Empty: the first one of the node.",
    )  # fmt: skip

    def __init__(self, *args: Any, cluster: Cluster | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cluster = cluster
        if not settings.ALMA_CLUSTER_ALLOW_UNVERIFIED and (cluster is None or cluster.verifies_tls):
            del self.fields["verifies_tls"]
        if cluster is None:
            self.fields["token_secret"].required = True

    def clean_url(self) -> tuple[str, int]:
        """Host and port. An address is judged here, a name whenever it is called."""
        host, port = _address(self.cleaned_data["url"])
        is_sandbox = self.cluster is not None and self.cluster.is_sandbox
        refusal = refusal_of(host, host, is_sandbox=is_sandbox) if is_address(host) else ""
        if refusal:
            raise forms.ValidationError(refusal)
        return host, port

    def clean_fingerprint(self) -> str:
        """In the one spelling: upper case, with colons."""
        digits = re.sub(r"[\s:]", "", str(self.cleaned_data["fingerprint"])).upper()
        text = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
        if text and not re.match(FINGERPRINT, text):
            raise forms.ValidationError("SHA-256 of the certificate: 32 pairs of hex digits.")
        return text

    def clean(self) -> dict[str, Any]:
        """A range begins before it ends."""
        data = super().clean() or {}
        if data.get("vmid_first", 0) > data.get("vmid_last", 0) and "vmid_last" in data:
            self.add_error("vmid_last", "The last number is below the first.")
        return data

    def values(self) -> dict[str, Any]:
        """What the services take, without the secret."""
        data = {name: value for name, value in self.cleaned_data.items() if name not in {"url", "token_secret"}}
        host, port = self.cleaned_data["url"]
        return {"verifies_tls": True} | data | {"host": host, "port": port}


def _address(text: str) -> tuple[str, int]:
    """Host and port of a URL, or of what stands in one. Raises ValidationError."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname or "", parts.port or PORT
    except ValueError as error:
        raise forms.ValidationError("This is not a URL.") from error
    if parts.scheme != "https" or parts.username or parts.password or parts.path.strip("/") or parts.query:
        raise forms.ValidationError("Write https://, a host name or an address, and a port if it is not 8006.")
    if not re.fullmatch(HOST, host):
        raise forms.ValidationError("This is not a host name.")
    return host, port


def initial_of(cluster: Cluster | None) -> dict[str, Any]:
    """What the form shows at first."""
    if cluster is None:
        return {"vmid_first": 5000, "vmid_last": 999_999, "parallel_limit": 4, "verifies_tls": True}
    host = f"[{cluster.host}]" if ":" in cluster.host else cluster.host
    shown = [name for name in ClusterForm.base_fields if name not in {"url", "token_secret"}]
    return {name: getattr(cluster, name) for name in shown} | {"url": f"https://{host}:{cluster.port}"}
