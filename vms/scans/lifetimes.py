"""When systems stop getting security updates for free. What is not listed is not known; what has no date is supported, and its
maker has announced no end.

Long-term support by the distribution itself counts, support that is bought does not. All dates were compared on AS_OF with
https://endoflife.date (github.com/endoflife-date/endoflife.date, commit a70eca337600), which names for each the maker's page
that stands beside it here. Of Debian it is the end of LTS (its `eoes`), of all others `eol`. A release of FreeBSD ends before its
branch; a version that has no line of its own is judged by its branch. Clients of Windows are listed by build, with `-w` for Home
and Pro, `-e` for Enterprise and Education, and `lts.` for the Long-Term Servicing Channel.
"""

from datetime import date
from typing import NamedTuple

AS_OF = date(2026, 8, 22)


class Lifetime(NamedTuple):
    """The last day of support, None while no end is announced, and where that is said."""

    until: date | None
    source: str


_DEBIAN = "https://wiki.debian.org/LTS"
_UBUNTU = "https://wiki.ubuntu.com/Releases"
_SERVER = "https://learn.microsoft.com/windows/release-health/windows-server-release-info"
_WINDOWS = "https://learn.microsoft.com/windows/release-health/windows11-release-information"
_ALPINE = "https://alpinelinux.org/releases/"
_ROCKY = "https://wiki.rockylinux.org/rocky/version/"
_ALMA = "https://wiki.almalinux.org/release-notes/"
_RHEL = "https://access.redhat.com/support/policy/updates/errata"
_CENTOS = "https://www.centos.org/centos-linux-eol/"
_FEDORA = "https://docs.fedoraproject.org/en-US/releases/eol/"
_ORACLE = "https://www.oracle.com/a/ocom/docs/elsp-lifetime-069338.pdf"
_AMAZON = "https://aws.amazon.com/linux/"
_SUSE = "https://en.opensuse.org/Lifetime"
_FREEBSD = "https://www.freebsd.org/security/#sup"
_PROXMOX = "https://pve.proxmox.com/wiki/FAQ"

_DATES: dict[str, tuple[str, dict[str, str]]] = {
    "debian": (_DEBIAN, {
        "6": "2016-02-29", "7": "2018-05-31", "8": "2020-06-30", "9": "2022-07-01", "10": "2024-06-30",
        "11": "2026-08-31", "12": "2028-06-30", "13": "2030-06-30",
    }),
    "ubuntu": (_UBUNTU, {
        "12.04": "2017-04-28", "14.04": "2019-04-02", "16.04": "2021-04-02", "18.04": "2023-05-31",
        "19.10": "2020-07-06", "20.04": "2025-05-31", "20.10": "2021-07-22", "21.04": "2022-01-20",
        "21.10": "2022-07-14", "22.04": "2027-04-01", "22.10": "2023-07-20", "23.04": "2024-01-20",
        "23.10": "2024-07-12", "24.04": "2029-05-31", "24.10": "2025-07-10", "25.04": "2026-01-17",
        "25.10": "2026-07-01", "26.04": "2031-04-30",
    }),
    "alpine": (_ALPINE, {
        "3.10": "2021-05-01", "3.11": "2021-11-01", "3.12": "2022-05-01", "3.13": "2022-11-01", "3.14": "2023-05-01",
        "3.15": "2023-11-01", "3.16": "2024-05-23", "3.17": "2024-11-22", "3.18": "2025-05-09", "3.19": "2025-11-01",
        "3.20": "2026-04-01", "3.21": "2026-11-01", "3.22": "2027-05-01", "3.23": "2027-11-01", "3.24": "2028-06-01",
    }),
    "rocky": (_ROCKY, {"8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"}),
    "almalinux": (_ALMA, {"8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"}),
    "rhel": (_RHEL, {
        "5": "2017-03-31", "6": "2020-11-30", "7": "2024-06-30", "8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31",
    }),
    "centos": (_CENTOS, {
        "5": "2017-03-31", "6": "2020-11-30", "7": "2024-06-30", "8": "2024-05-31", "9": "2027-05-31", "10": "2030-05-31",
    }),
    "fedora": (_FEDORA, {
        "39": "2024-11-26", "40": "2025-05-13", "41": "2025-12-15", "42": "2026-05-27", "43": "2026-12-09",
        "44": "2027-06-02",
    }),
    "ol": (_ORACLE, {"6": "2021-03-31", "7": "2024-12-31", "8": "2029-07-31", "9": "2032-06-30", "10": ""}),
    "amzn": (_AMAZON, {"2": "2026-06-30", "2018.03": "2023-12-31", "2023": "2029-06-30"}),
    "opensuse-leap": (_SUSE, {
        "15.3": "2022-12-31", "15.4": "2023-12-07", "15.5": "2024-12-31", "15.6": "2026-04-30", "16.0": "2027-10-31",
    }),
    "freebsd": (_FREEBSD, {
        "11": "2021-09-30", "12": "2023-12-31", "13": "2026-04-30", "14.0": "2024-09-30", "14.1": "2025-03-31",
        "14.2": "2025-09-30", "14.3": "2026-06-30", "14.4": "2026-12-31", "14": "2028-11-30", "15.0": "2026-09-30",
        "15.1": "2027-03-31", "15": "2029-12-31",
    }),
    "windows-server": (_SERVER, {
        "2003": "2015-07-14", "2008": "2020-01-14", "2012": "2023-10-10", "2016": "2027-01-12", "2019": "2029-01-09",
        "2022": "2031-10-14", "2025": "2034-11-14",
    }),
    "windows": (_WINDOWS, {
        "7": "2020-01-14", "8": "2016-01-12", "8.1": "2023-01-10", "10": "2025-10-14",
        "11.22000-w": "2023-10-10", "11.22000-e": "2024-10-08", "11.22621-w": "2024-10-08", "11.22621-e": "2025-10-14",
        "11.22631-w": "2025-11-11", "11.22631-e": "2026-11-10", "11.26100-w": "2026-10-13", "11.26100-e": "2027-10-12",
        "11.26200-w": "2027-10-12", "11.26200-e": "2028-10-10", "11.28000-w": "2028-03-14", "11.28000-e": "2029-03-13",
        "lts.14393": "2026-10-13", "lts.17763": "2029-01-09", "lts.19044": "2027-01-12", "lts.26100": "2029-10-09",
    }),
    "proxmox": (_PROXMOX, {
        "4": "2018-06-30", "5": "2020-07-31", "6": "2022-09-30", "7": "2024-07-31", "8": "2026-08-31", "9": "",
    }),
}  # fmt: skip
LIFETIMES = {
    (family, version): Lifetime(date.fromisoformat(until) if until else None, source)
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


def is_over(found: Lifetime, now: date) -> bool:
    """Whether its last day has passed; what has none goes on."""
    return found.until is not None and found.until < now


def lifetime(family: str, version: str) -> Lifetime | None:
    """Until when a version is supported; `12.4` is found as `12`. None when the table does not know."""
    parts = version.split(".")
    names = [".".join(parts[:count]) for count in (len(parts), 2, 1)]
    return next((LIFETIMES[family, name] for name in names if (family, name) in LIFETIMES), None)
