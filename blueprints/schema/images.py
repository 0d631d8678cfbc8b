"""Operating systems as people name them, and references to images as hypervisors do."""

import re
from dataclasses import dataclass

_FAMILIES = {
    "ubuntu": "ubuntu",
    "debian": "debian",
    "rocky": "rocky",
    "rockylinux": "rocky",
    "alma": "alma",
    "almalinux": "alma",
    "centos": "centos",
    "rhel": "rhel",
    "redhat": "rhel",
    "fedora": "fedora",
    "oracle": "oracle",
    "oraclelinux": "oracle",
    "opensuse": "opensuse",
    "suse": "suse",
    "sles": "suse",
    "arch": "arch",
    "archlinux": "arch",
    "alpine": "alpine",
    "gentoo": "gentoo",
    "freebsd": "freebsd",
    "windows": "windows",
    "talos": "talos",
    "flatcar": "flatcar",
    "nixos": "nixos",
    "kali": "kali",
}
_CODENAMES = {
    "focal": ("ubuntu", "20.04"),
    "jammy": ("ubuntu", "22.04"),
    "noble": ("ubuntu", "24.04"),
    "bullseye": ("debian", "11"),
    "bookworm": ("debian", "12"),
    "trixie": ("debian", "13"),
}
_REFERENCE = re.compile(
    r"[/:].*\.(?:img|qcow2|iso|raw|vmdk|tar\.\w+|tgz)$|^https?://|^[\w-]+:vztmpl/|^[\w-]+:iso/", re.ASCII
)
_VERSION = re.compile(r"(?<![\d.])(\d{1,4}(?:\.\d{1,2})?)(?![\d])", re.ASCII)
_WORD = re.compile(r"[a-z]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Image:
    """What a guest is made from. `reference` is what was written when it is not just an operating system."""

    family: str | None = None
    version: str | None = None
    reference: str | None = None
    template: str | None = None

    def __str__(self) -> str:
        system = "-".join(part for part in (self.family, self.version) if part)
        return self.template or self.reference or system


def read_image(text: str, *, version: str | None = None) -> Image:
    """ "Ubuntu 22.04 LTS", "debian:12", "rocky9", "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst"."""
    family, found = _system(text.rsplit("/", 1)[-1].lower())
    if _REFERENCE.search(text) or family is None:
        return Image(family, version or found, reference=text)
    return Image(family, version or found)


def _system(text: str) -> tuple[str | None, str | None]:
    words = _WORD.findall(text)
    version = _VERSION.search(text)
    for word in words:
        if word in _CODENAMES:
            return _CODENAMES[word]
        if word in _FAMILIES:
            return _FAMILIES[word], version[1] if version else None
    if "red" in words and "hat" in words:
        return "rhel", version[1] if version else None
    return None, None
