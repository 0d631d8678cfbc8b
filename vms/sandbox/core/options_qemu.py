"""The configuration options of a virtual machine that the sandbox models."""

from vms.sandbox.core import formats
from vms.sandbox.core.parameters import Param, boolean, formatted, indexed, integer, listing, number, one_of, text
from vms.sandbox.core.shapes_qemu import (
    AGENT,
    AUDIO,
    BOOT,
    CICUSTOM,
    CPU,
    DRIVE,
    EFI,
    HOSTPCI,
    IDE,
    IPCONFIG,
    IVSHMEM,
    MACHINE,
    MEMORY,
    NET,
    NUMA,
    RNG,
    SATA,
    SMBIOS,
    SPICE,
    TPM,
    UNUSED,
    USB,
    VGA,
    VIRTIO,
    VIRTIOFS,
    WATCHDOG,
)

DRIVE_KEYS = (
    *(f"ide{index}" for index in range(4)), *(f"scsi{index}" for index in range(31)),
    *(f"virtio{index}" for index in range(16)), *(f"sata{index}" for index in range(6)), "efidisk0", "tpmstate0",
)  # fmt: skip
BOOTABLE_KEYS = DRIVE_KEYS[:-2]
NET_KEYS = tuple(f"net{index}" for index in range(32))
UNUSED_KEYS = tuple(f"unused{index}" for index in range(256))
KEYBOARDS = (
    "de", "de-ch", "da", "en-gb", "en-us", "es", "fi", "fr", "fr-be", "fr-ca", "fr-ch", "hu", "is", "it", "ja", "lt",
    "mk", "nl", "no", "pl", "pt", "pt-br", "sv", "sl", "tr",
)  # fmt: skip
CLOUD_INIT = {
    "ciuser": text(), "cipassword": text(), "ciupgrade": boolean(), "sshkeys": formatted(formats.urlencoded),
    "citype": one_of("configdrive2", "nocloud", "opennebula"), "cicustom": formatted(CICUSTOM),
    "nameserver": listing(formats.address), "searchdomain": text(), **indexed("ipconfig", 32, formatted(IPCONFIG)),
}  # fmt: skip
OPTIONS: dict[str, Param] = {
    "name": formatted(formats.dns_name), "description": text(8192), "tags": listing(formats.tag),
    "cores": integer(1), "sockets": integer(1), "vcpus": integer(1), "cpu": formatted(CPU),
    "cpulimit": number(0, 128), "cpuunits": integer(1, 262144), "numa": boolean(), "affinity": text(),
    "memory": formatted(MEMORY), "balloon": integer(0), "shares": integer(0, 50000), "hugepages": one_of("any", "2",
        "1024"),
    "ostype": one_of("other", "wxp", "w2k", "w2k3", "w2k8", "wvista", "win7", "win8", "win10", "win11", "l24",
        "l26", "solaris"),
    "machine": formatted(MACHINE), "bios": one_of("seabios", "ovmf"), "arch": one_of("x86_64", "aarch64"),
    "scsihw": one_of("lsi", "lsi53c810", "virtio-scsi-pci", "virtio-scsi-single", "megasas", "pvscsi"),
    "boot": formatted(BOOT), "bootdisk": text(pattern=r"(ide|sata|scsi|virtio)\d+"), "agent": formatted(AGENT),
    "onboot": boolean(), "startup": formatted(formats.startup), "protection": boolean(), "template": boolean(),
    "vga": formatted(VGA), "tablet": boolean(), "kvm": boolean(), "acpi": boolean(),
    "hotplug": listing(formats.hotplug_feature),
    "localtime": boolean(), "freeze": boolean(), "autostart": boolean(), "reboot": boolean(),
    "startdate": text(pattern=r"now|\d{4}-\d{1,2}-\d{1,2}(T\d{1,2}:\d{1,2}:\d{1,2})?"),
    "keyboard": one_of(*KEYBOARDS), "args": text(), "hookscript": formatted(formats.volume_id),
    "watchdog": formatted(WATCHDOG),
    "lock": one_of("backup", "clone", "create", "migrate", "rollback", "snapshot", "snapshot-delete", "suspending",
        "suspended"),
    "migrate_downtime": number(0), "migrate_speed": integer(0), "vmstatestorage": formatted(formats.storage_id),
    "smbios1": Param(format=SMBIOS, max_length=512),
    "vmgenid": text(pattern=r"[01]|[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}"),
    "rng0": formatted(RNG), "audio0": formatted(AUDIO), "keephugepages": boolean(),
    "spice_enhancements": formatted(SPICE), "tdf": boolean(), "allow-ksm": boolean(),
    "amd-sev": text(), "intel-tdx": text(), "ivshmem": formatted(IVSHMEM), "smp": integer(1),
    **indexed("virtiofs", 10, formatted(VIRTIOFS)),
    **indexed("numa", 8, formatted(NUMA)), **indexed("serial", 4, text(pattern=r"/dev/.+|socket")),
    **indexed("usb", 14, formatted(USB)), **indexed("hostpci", 16, formatted(HOSTPCI)),
    **indexed("parallel", 3, text(pattern=r"/dev/parport\d+|/dev/usb/lp\d+")), **indexed("net", 32, formatted(NET)),
    **indexed("ide", 4, formatted(IDE)), **indexed("sata", 6, formatted(SATA)), **indexed("scsi", 31, formatted(DRIVE)),
    **indexed("virtio", 16, formatted(VIRTIO)), "efidisk0": formatted(EFI), "tpmstate0": formatted(TPM),
    **indexed("unused", 256, formatted(UNUSED)), **CLOUD_INIT,
}  # fmt: skip
