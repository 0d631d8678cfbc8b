"""Whatever is given, it is typed, or refused in Proxmox's words."""

from hypothesis import given
from hypothesis import strategies as st

from tests.vms.sandbox.driving import make_cluster
from vms.sandbox.core import sizes, validation
from vms.sandbox.core.errors import ApiError
from vms.sandbox.core.options_qemu import DRIVE, NET, OPTIONS
from vms.sandbox.core.parameters import FormatError


@given(st.text(max_size=60))
def test_any_text_is_a_property_string_or_refused(value: str) -> None:
    for shape in (NET, DRIVE):
        try:
            parts = validation.parse(value, shape)
        except FormatError:
            continue
        assert validation.parse(validation.show(parts, shape), shape) == parts


@given(
    st.dictionaries(
        st.sampled_from([*sorted(OPTIONS)[:60], "bogus"]),
        st.one_of(st.text(max_size=12), st.integers(), st.booleans(), st.none(), st.lists(st.integers(), max_size=2)),
        max_size=6,
    )
)
def test_any_parameters_are_typed_or_refused_with_a_text_for_each(params: dict) -> None:
    try:
        values = validation.check_all(OPTIONS, params)
    except ApiError as error:
        assert error.status == 400 and error.errors and set(error.errors) <= set(params) | set(OPTIONS)
        assert all(error.errors.values())
    else:
        assert set(values) <= set(params)
        assert all(
            isinstance(value, int if OPTIONS[name].type in {"integer", "boolean"} else str)
            for name, value in values.items()
        )


@given(st.integers(0, 2**50))
def test_sizes_round_trip(size: int) -> None:
    assert sizes.parse(sizes.show(size)) == size


@given(st.lists(st.text("ABCabc019_", min_size=1, max_size=5), min_size=1, max_size=5))
def test_tags_are_a_sorted_set(tags: list[str]) -> None:
    cluster = make_cluster()
    cluster.put("/nodes/pve1/qemu/101/config", tags=",".join(tags))
    assert cluster.config(101)["tags"] == ";".join(sorted({tag.lower() for tag in tags}))


@given(st.sampled_from(["local-lvm", "shared", "local"]), st.text("abvm-/.:019 ", min_size=1, max_size=12))
def test_any_volume_name_is_refused_or_missing(storage: str, name: str) -> None:
    cluster = make_cluster()
    answer = cluster.answer("POST", "/nodes/pve1/qemu", vmid=300, scsi0=f"{storage}:{name}")
    if answer.status == 200:
        assert cluster.finish(answer.data) == "OK" or 300 not in cluster.core.state.guests
    else:
        assert answer.message and 300 not in cluster.core.state.guests
