"""Sizes, property strings, tags, path segments: for any text."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alma.jobs.kinds import Unknown
from vms.proxmox import values
from vms.proxmox.answers import Verdict, classify, clean
from vms.proxmox.guests import interpret, marker_of
from vms.proxmox.paths import SEGMENT, UPID, UnsafeValue, parameters, seg, task_node

GIB = 1024**3
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,10}", fullmatch=True)
PLAIN = st.from_regex(r"[A-Za-z0-9:./_-]{1,20}", fullmatch=True)


@given(st.text())
@example("..")
@example("a\n")
@example("nodes/../access")
def test_segment_is_one_segment_or_refused(text: str) -> None:
    try:
        part = seg(text)
    except UnsafeValue:
        return
    assert part == text
    assert ".." not in part
    assert SEGMENT.fullmatch(part) or UPID.fullmatch(part)
    assert not set(part) & set("/?#%\\ \t\r\n\0")


@given(st.from_regex(SEGMENT, fullmatch=True).filter(lambda text: ".." not in text))
def test_ordinary_segments_pass(text: str) -> None:
    assert seg(text) == text


def test_task_id_is_a_segment_and_names_its_node() -> None:
    upid = "UPID:pve-1:0000C530:001F3A1B:6543210F:qmcreate:100:root@pam!alma:"
    assert seg(upid) == upid
    assert task_node(upid) == "pve-1"


@given(st.text())
def test_task_id_of_any_text_is_refused_or_whole(text: str) -> None:
    try:
        node = task_node(text)
    except UnsafeValue:
        return
    assert UPID.fullmatch(text)
    assert seg(node) == node


@given(st.integers(min_value=1, max_value=1 << 50))
def test_sizes_survive_the_journey(size: int) -> None:
    asked = values.gib_text(size)
    assert Decimal(asked) * GIB == values.round_up(size)
    assert values.parse_size(f"{values.mib(size)}M") == values.round_up(size)
    assert 0 <= values.round_up(size) - size < values.MIB
    assert "e" not in asked.lower()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("32G", 32 * GIB),
        ("528K", 528 * 1024),
        ("4M", 4 << 20),
        ("1T", 1 << 40),
        ("8.5G", 17 * GIB // 2),
        ("4096", 4096),
    ],
)
def test_sizes_of_configs(text: str, size: int) -> None:
    assert values.parse_size(text) == size


@given(st.text())
def test_size_of_any_text_is_a_number_or_unknown(text: str) -> None:
    with contextlib.suppress(Unknown):
        assert values.parse_size(text) >= 0


@given(st.dictionaries(NAMES, PLAIN, max_size=6), st.one_of(st.just(""), PLAIN))
def test_property_strings_survive_the_journey(parts: dict[str, str], first: str) -> None:
    text = values.properties(first, **parts)
    wanted = parts | ({"": first} if first else {})
    if wanted:
        assert values.parse_properties(text) == wanted
        assert values.parse_properties(values.join_properties(values.parse_properties(text))) == wanted


@given(st.text(), st.text())
def test_property_cannot_add_another(bridge: str, first: str) -> None:
    try:
        text = values.properties(first, bridge=bridge, firewall=1)
    except UnsafeValue:
        return
    assert text.count(",") == (2 if first else 1)


@given(st.lists(st.text(max_size=20)))
def test_tags_are_clean_and_stable(tags: list[str]) -> None:
    joined = values.join_tags(tags)
    assert values.join_tags(values.parse_tags(joined)) == joined
    assert all(set(tag) <= set("abcdefghijklmnopqrstuvwxyz0123456789_+.-") for tag in values.parse_tags(joined))


@given(st.text())
def test_dns_names_are_dns_names(text: str) -> None:
    name = values.dns_name(text)
    assert 0 < len(name) <= 200
    assert all(part and part.strip("-") == part and len(part) <= 63 for part in name.split("."))
    assert values.dns_name(name) == name


@given(st.lists(st.from_regex(r"ssh-ed25519 [A-Za-z0-9+/=]{1,40} [ -~]{1,20}", fullmatch=True)))
def test_keys_survive_the_journey(keys: list[str]) -> None:
    encoded = values.encode_keys(keys)
    assert not set(encoded) & set("\n ,+")
    assert values.decode_keys(encoded) == tuple(key.strip() for key in keys)


@given(st.dictionaries(st.sampled_from(["cores", "sockets", "memory", "scsi0", "rootfs", "net0", "boot", "tags", "lock",
                                        "description", "template", "name", "digest"]),
                       st.one_of(st.text(), st.integers(), st.none(), st.floats(), st.lists(st.text()))))  # fmt: skip
def test_any_config_is_understood_or_unknown(config: dict[str, object]) -> None:
    for kind in ("vm", "lxc"):
        with contextlib.suppress(Unknown):
            reading = interpret(config, vmid=100, kind=kind, node="pve1", status="running")
            assert reading.cores >= 0
            assert reading.memory_bytes >= 0


def test_config_of_a_vm() -> None:
    config = {
        "cores": 2, "sockets": 2, "memory": "current=4096", "scsi0": "local-lvm:vm-1-disk-1,size=32G", "virtio0": "a:b,size=4M",
        "ide2": "local-lvm:vm-1-cloudinit,media=cdrom,size=4M", "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr1,tag=12",
        "boot": "order=virtio0;ide2", "efidisk0": "a:c,size=528K", "description": "alma:1-2\n\nhello", "tags": "b;a",
    }  # fmt: skip
    reading = interpret(config, vmid=1, kind="vm", node="pve1", status="running")
    assert (reading.cores, reading.memory_bytes) == (4, 4 * GIB)
    assert (reading.disk, reading.disk_bytes) == ("virtio0", 4 << 20)
    assert reading.disks == {"scsi0": 32 * GIB, "virtio0": 4 << 20}
    assert (reading.cards["net0"].bridge, reading.cards["net0"].vlan, reading.tags, reading.marker) == (
        "vmbr1",
        12,
        ("a", "b"),
        "alma:1-2",
    )


@pytest.mark.parametrize(
    ("description", "marker"),
    [("alma:1\nx", "alma:1"), ("  alma:1 ", "alma:1"), ("by alma:1", ""), ("", ""), ("ALMA:1", ""), ("almanac", "")],
)
def test_marker_is_the_first_word(description: str, marker: str) -> None:
    assert marker_of(description) == marker


@pytest.mark.parametrize(
    ("status", "text", "verdict"),
    [
        (500, "Configuration file 'nodes/pve/qemu-server/100.conf' does not exist", Verdict.ABSENT),
        (500, "storage 'x' does not exist", Verdict.UNCLEAR),
        (500, "unable to create VM 100 - VM 100 already exists on node 'pve'", Verdict.TAKEN),
        (500, "unable to create VM 101: config file already exists", Verdict.TAKEN),
        (500, "CT 100 already exists on node 'pve'", Verdict.TAKEN),
        (500, "VM is locked (clone)", Verdict.LOCKED),
        (500, "CT is locked (disk)", Verdict.LOCKED),
        (500, "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout", Verdict.LOCKED),
        (500, "checksum mismatch (file change by other user?)", Verdict.CHANGED),
        (500, "can't remove VM 100 - protection mode enabled", Verdict.REFUSED),
        (500, "hostname lookup 'nosuch' failed - failed to get address info", Verdict.UNCLEAR),
        (400, "Parameter verification failed.", Verdict.REFUSED),
        (403, "Permission check failed (/vms/100, VM.Audit)", Verdict.REFUSED),
    ],
)
def test_verdicts(status: int, text: str, verdict: Verdict) -> None:
    assert classify(status, text) == verdict


@given(st.integers(), st.text())
def test_only_its_own_sentence_means_absent(status: int, text: str) -> None:
    try:
        verdict = classify(status, text)
    except Unknown:
        return
    assert verdict != Verdict.ABSENT or (status == 500 and text.startswith("Configuration file '"))


@given(st.text())
def test_remote_text_becomes_one_short_line(text: str) -> None:
    line = clean(text)
    assert len(line) <= 400
    assert line.isprintable()


@given(st.text())
def test_values_hold_no_control_characters(text: str) -> None:
    with contextlib.suppress(UnsafeValue):
        assert parameters({"name": text})["name"].isprintable()
