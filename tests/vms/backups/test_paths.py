"""What may be sent to Proxmox about backups: names of archives, and force with a restore alone."""

import pytest

from vms.proxmox.paths import UnsafeValue, parameters, segments

HERE = ("nodes", "pve1", "storage", "nas", "content")


@pytest.mark.parametrize(
    "name",
    [
        "nas:backup/vzdump-qemu-100-2026_11_21-00_15_19.vma.zst", "local_2:backup/vzdump-lxc-7-x.tar",
        "pbs:backup/vm/100/2026-11-21T00:15:19Z", "pbs:backup/ns/site_a/vm/100",
    ],
)  # fmt: skip
def test_names_of_archives(name: str) -> None:
    assert segments((*HERE, name)) == [*HERE, name]


@pytest.mark.parametrize(
    "name",
    [
        "nas:backup/../../etc/passwd", "nas:iso/debian.iso", "nas:100/vm-100-disk-0.qcow2", "local-lvm:vm-100-disk-0",
        "nas:backup/x?force=1", "nas:backup/a b", "nas:backup/", "/etc/passwd", "nas:backup/x\n", "",
    ],
)  # fmt: skip
def test_what_is_no_archive_is_never_named(name: str) -> None:
    with pytest.raises(UnsafeValue):
        segments((*HERE, name))


def test_an_image_is_read_and_never_written_to() -> None:
    image = "local:import/debian-12.qcow2"
    assert segments((*HERE, image), is_read=True) == [*HERE, image]
    for name, is_read in ((image, False), ("local:import/../x.qcow2", True), ("local:100/vm-100-disk-0.qcow2", True)):
        with pytest.raises(UnsafeValue):
            segments((*HERE, name), is_read=is_read)


def test_force_goes_with_a_restore_alone() -> None:
    assert parameters({"archive": "nas:backup/x", "force": True})["force"] == 1
    assert parameters({"ostemplate": "nas:backup/x", "restore": True, "force": True})["force"] == 1
    for values in ({"force": True}, {"force": True, "purge": True}, {"archive": "x", "skiplock": True}):
        with pytest.raises(UnsafeValue):
            parameters(values)
