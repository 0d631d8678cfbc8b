"""When systems stop getting security updates for free. The dates are of AS_OF; what is not listed is not known.

Long-term support by the distribution itself counts, support that is bought does not.
"""

from datetime import date
from typing import NamedTuple

AS_OF = date(2026, 11, 1)


class Lifetime(NamedTuple):
    """The last day of support, and where that is said."""

    until: date
    source: str


_DEBIAN = "https://wiki.debian.org/LTS"
_UBUNTU = "https://wiki.ubuntu.com/Releases"
_WINDOWS = "https://learn.microsoft.com/lifecycle/products/"
_ALPINE = "https://alpinelinux.org/releases/"
_ROCKY = "https://wiki.rockylinux.org/rocky/version/"
_ALMA = "https://wiki.almalinux.org/release-notes/"
_RHEL = "https://access.redhat.com/support/policy/updates/errata"
_CENTOS = "https://www.centos.org/centos-linux-eol/"
_FREEBSD = "https://www.freebsd.org/security/"
_PROXMOX = "https://pve.proxmox.com/wiki/FAQ"

_DATES: dict[str, tuple[str, dict[str, str]]] = {
    "debian": (_DEBIAN, {
        "8": "2020-06-30", "9": "2022-06-30", "10": "2024-06-30", "11": "2026-08-31", "12": "2028-06-30", "13": "2030-06-30",
    }),
    "ubuntu": (_UBUNTU, {
        "14.04": "2019-04-30", "16.04": "2021-04-30", "18.04": "2023-05-31", "20.04": "2025-05-31", "22.04": "2027-04-01",
        "22.10": "2023-07-20", "23.04": "2024-01-25", "23.10": "2024-07-11", "24.04": "2029-05-31", "24.10": "2025-07-10",
        "25.04": "2026-01-17", "25.10": "2026-07-31", "26.04": "2031-04-30",
    }),
    "alpine": (_ALPINE, {
        "3.16": "2024-05-23", "3.17": "2024-11-22", "3.18": "2025-05-09", "3.19": "2025-11-01", "3.20": "2026-04-01",
        "3.21": "2026-11-01", "3.22": "2027-05-01", "3.23": "2027-11-01",
    }),
    "rocky": (_ROCKY, {"8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"}),
    "almalinux": (_ALMA, {"8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"}),
    "rhel": (_RHEL, {"6": "2020-11-30", "7": "2024-06-30", "8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"}),
    "centos": (_CENTOS, {"6": "2020-11-30", "7": "2024-06-30", "8": "2024-05-31", "9": "2027-05-31"}),
    "freebsd": (_FREEBSD, {"12": "2023-12-31", "13": "2026-04-30", "14": "2028-11-30"}),
    "windows-server": (_WINDOWS, {
        "2003": "2015-07-14", "2008": "2020-01-14", "2012": "2023-10-10", "2016": "2027-01-12", "2019": "2029-01-09",
        "2022": "2031-10-14", "2025": "2034-10-10",
    }),
    "windows": (_WINDOWS, {"7": "2020-01-14", "8": "2016-01-12", "8.1": "2023-01-10", "10": "2025-10-14"}),
    "proxmox": (_PROXMOX, {"5": "2020-07-31", "6": "2022-09-30", "7": "2024-07-31", "8": "2026-08-31", "9": "2028-08-31"}),
}  # fmt: skip
LIFETIMES = {
    (family, version): Lifetime(date.fromisoformat(until), source)
    for family, (source, versions) in _DATES.items()
    for version, until in versions.items()
}
OLD_TYPES = {
    "wxp": ("Windows XP or Server 2003", date(2015, 7, 14)), "w2k": ("Windows 2000", date(2010, 7, 13)),
    "w2k3": ("Windows Server 2003", date(2015, 7, 14)), "w2k8": ("Windows Vista or Server 2008", date(2020, 1, 14)),
    "wvista": ("Windows Vista", date(2017, 4, 11)), "win7": ("Windows 7 or Server 2008 R2", date(2020, 1, 14)),
    "win8": ("Windows 8 or Server 2012", date(2023, 10, 10)), "l24": ("Linux 2.4", date(2011, 12, 31)),
}  # fmt: skip
"""Types of systems in a machine's configuration of which no version is supported any more."""


def lifetime(family: str, version: str) -> Lifetime | None:
    """Until when a version is supported; `12.4` is found as `12`. None when the table does not know."""
    parts = version.split(".")
    names = [".".join(parts[:count]) for count in (len(parts), 2, 1)]
    return next((LIFETIMES[family, name] for name in names if (family, name) in LIFETIMES), None)
