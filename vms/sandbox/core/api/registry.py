"""What is only noted down: mappings of hardware and folders, metric servers, notification targets, ACME plugins."""

import base64

from vms.sandbox.core import formats, sections
from vms.sandbox.core.api.crud import Crud, Kind, serve
from vms.sandbox.core.model import Entry, Json
from vms.sandbox.core.parameters import Table, array, boolean, formatted, integer, listing, one_of, text
from vms.sandbox.core.routing import USER, Access, Call, Routes, each, either, every, holder
from vms.sandbox.core.sections import Section

routes = Routes()
_ID = formatted(formats.config_id)
_SYS_AUDIT, _SYS_MODIFY = holder("/", "Sys.Audit"), holder("/", "Sys.Modify")
_MAPPINGS: dict[str, tuple[str, Table]] = {
    "dir": ("directory", {}), "usb": ("hardware", {}),
    "pci": ("hardware", {"mdev": boolean(), "live-migration-capable": boolean()}),
}  # fmt: skip


def _mapping(kind: str, noun: str, extra: Table) -> Crud:
    path = f"/mapping/{kind}"
    section = Section(
        f"mapping/{kind}", "id", "mapping '{}' not found", f"{kind} ID '{{}}' already defined", f"domain-mapping-{kind}",
        f"{noun} mapping", gone=f"{kind} ID '{{}}' does not exist", nouns={"delete": f"{kind} mapping"},
    )  # fmt: skip
    options = {"description": text(4096), "map": array().required(), **extra}
    needed = ("map",) if kind == "usb" else ()
    item = f"{path}/{{id}}"
    reads = either(*(holder(item, f"Mapping.{name}") for name in ("Use", "Modify", "Audit")))
    return Crud(
        section, f"/cluster{path}", _ID, options, lists=USER, reads=reads, makes=holder(path, "Mapping.Modify"),
        changes=holder(item, "Mapping.Modify"), removes=holder(path, "Mapping.Modify"), fixed=(), needed=needed, forgets_missing=True,
        filters={"check-node": formatted(formats.node_name)}, seen_on=f"{path}/{{}}",
        seen_by=("Mapping.Modify", "Mapping.Use", "Mapping.Audit"),
        listed=lambda call, entry: {"checks": []} if call.string("check-node") else {},
    )  # fmt: skip


for _kind, (_noun, _extra) in _MAPPINGS.items():
    serve(routes, _mapping(_kind, _noun, _extra))


@routes.route("GET", "/cluster/mapping", {}, USER)
def mappings(call: Call) -> Json:
    return [{"name": kind} for kind in ("dir", "pci", "usb")]


_METRICS = {
    "type": one_of("graphite", "influxdb", "opentelemetry").required(), "server": text().required(), "port": integer(1, 65536).required(),
    "disable": boolean(), "mtu": integer(512, 65536), "timeout": integer(0), "path": text(), "proto": one_of("udp", "tcp"),
    "influxdbproto": one_of("udp", "http", "https"), "organization": text(), "bucket": text(), "token": text(),
    "api-path-prefix": text(), "max-body-size": integer(1), "verify-certificate": boolean(),
    "otel-protocol": one_of("http", "https"), "otel-path": text(), "otel-timeout": integer(1, 10), "otel-headers": text(1024),
    "otel-compression": one_of("none", "gzip"), "otel-verify-ssl": boolean(), "otel-max-body-size": integer(1024),
    "otel-resource-attributes": text(1024),
}  # fmt: skip
_OTEL = " ".join(name for name in _METRICS if name.startswith("otel-"))
METRIC_SERVERS = Section(
    "status", "id", "status server entry '{}' does not exist", "Metric server '{}' already exists", "file-status_cfg",
    gone="no such server '{}'",
)  # fmt: skip
serve(
    routes,
    Crud(
        METRIC_SERVERS, "/cluster/metrics/server", _ID, _METRICS, lists=_SYS_AUDIT, reads=_SYS_AUDIT, makes=_SYS_MODIFY,
        changes=_SYS_MODIFY, removes=_SYS_MODIFY, is_made_by_name=True, forgets_missing=True, hidden=("token",), needed=("server", "port"),
        listed=lambda call, entry: {"disable": entry.values.get("disable", 0)},
        kinds={
            "graphite": Kind.of("server port", "disable mtu timeout path proto"),
            "influxdb": Kind.of(
                "server port", "disable mtu timeout influxdbproto organization bucket token api-path-prefix max-body-size "
                "verify-certificate",
            ),
            "opentelemetry": Kind.of("server port", f"disable {_OTEL}"),
        },
    ),
)  # fmt: skip


@routes.route("GET", "/cluster/metrics", {}, USER)
def metrics(call: Call) -> Json:
    return [{"name": "server"}, {"name": "export"}]


_NOTES = "/mapping/notifications"
_READ_NOTES = holder(_NOTES, "Mapping.Modify", "Mapping.Audit")
_AUDIT_NOTES = holder(_NOTES, "Mapping.Audit")
_LIST_MATCHERS = holder(_NOTES, "Mapping.Modify", "Mapping.Audit", "Mapping.Use")
_WRITE_NOTES = holder(_NOTES, "Mapping.Modify")
_REACH = every(_WRITE_NOTES, either(each("/", "Sys.Audit", "Sys.Modify"), holder("/", "Sys.AccessNetwork")))
_COMMON = {"comment": text(), "disable": boolean()}
_MAIL = {**_COMMON, "mailto": array(), "mailto-user": array(), "author": text()}
_ENDPOINTS: dict[str, Table] = {
    "gotify": {**_COMMON, "server": text().required(), "token": text().required()},
    "sendmail": {**_MAIL, "from-address": text()},
    "smtp": {
        **_MAIL, "from-address": text().required(), "server": text().required(), "port": integer(), "username": text(),
        "password": text(), "mode": one_of("insecure", "starttls", "tls"),
    },
    "webhook": {
        **_COMMON, "url": text().required(), "method": one_of("post", "put", "get").required(), "header": array(), "body": text(),
        "secret": array(),
    },
}  # fmt: skip
_MATCHER = {
    **_COMMON, "match-field": array(), "match-severity": array(), "match-calendar": array(), "target": array(),
    "mode": one_of("all", "any"), "invert-match": boolean(),
}  # fmt: skip
_BUILT_IN_MATCHER = Entry("notifications/matcher", "default-matcher", {
    "comment": "Route all notifications to mail-to-root", "mode": "all", "target": ["mail-to-root"],
})  # fmt: skip
_BUILT_IN_TARGET = Entry("notifications/sendmail", "mail-to-root", {
    "comment": "Send mails to root@pam's email address", "mailto-user": ["root@pam"],
})  # fmt: skip


def _notes(kind: str, path: str, options: Table, rights: tuple[Access, Access]) -> Crud:
    what = "matcher" if kind == "matcher" else "endpoint"
    section = Section(
        f"notifications/{kind}", "name", f"{what} '{{}}' does not exist", f"{what} '{{}}' already exists",
        built_in=tuple(entry for entry in (_BUILT_IN_MATCHER, _BUILT_IN_TARGET) if entry.section == f"notifications/{kind}"),
    )  # fmt: skip
    reads, writes = rights
    lists = {"matcher": _LIST_MATCHERS, "gotify": _AUDIT_NOTES, "webhook": _AUDIT_NOTES}.get(kind, reads)
    return Crud(
        section, path, _ID, options, lists=lists, reads=reads, makes=writes, changes=writes, removes=_WRITE_NOTES, fixed=(),
        hidden=("token", "password"), deletes_by_array=True,
        listed=lambda call, entry: {"origin": "builtin" if entry in section.built_in else "user-created"},
    )  # fmt: skip


_TARGETS = [
    _notes(kind, f"/cluster/notifications/endpoints/{kind}", options, (_READ_NOTES, _REACH))
    for kind, options in _ENDPOINTS.items()
]
for _target in _TARGETS:
    serve(routes, _target)
serve(routes, _notes("matcher", "/cluster/notifications/matchers", _MATCHER, (_READ_NOTES, _WRITE_NOTES)))


@routes.route("GET", "/cluster/notifications", {}, USER)
def notifications(call: Call) -> Json:
    return [{"name": name} for name in ("endpoints", "matchers", "targets", "matcher-fields", "matcher-field-values")]


@routes.route("GET", "/cluster/notifications/endpoints", {}, USER)
def endpoints(call: Call) -> Json:
    return [{"name": name} for name in _ENDPOINTS]


@routes.route(
    "GET", "/cluster/notifications/targets", {}, holder(_NOTES, "Mapping.Modify", "Mapping.Audit", "Mapping.Use")
)
def targets(call: Call) -> Json:
    """All endpoints, whatever their type."""
    found = []
    for crud in _TARGETS:
        for entry in sections.rows(call.world, crud.section):
            kept = {key: entry.values[key] for key in _COMMON if key in entry.values}
            kind = crud.section.name.partition("/")[2]
            found.append({"name": entry.name, "type": kind, **kept, **crud.listed(call, entry)})
    return found


PLUGINS = Section(
    "acme/plugins", "id", "ACME plugin '{}' not defined", "ACME plugin ID '{}' already exists", "file-priv_acme_plugins_cfg",
    gone="ACME plugin ID '{}' does not exist", built_in=(Entry("acme/plugins", "standalone", {"type": "standalone"}),),
)  # fmt: skip
_PLUGIN = {
    "type": one_of("dns", "standalone").required(), "api": text(), "data": text(), "disable": boolean(),
    "nodes": listing(formats.node_name), "validation-delay": integer(0, 172800),
}  # fmt: skip


def _plugin_row(call: Call, entry: Entry) -> dict[str, Json]:
    """The data of a plugin are told as they are, though they came in base64."""
    data = {"data": _decoded(str(entry.values["data"]))} if "data" in entry.values else {}
    return {**data, "plugin": entry.name}


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError:
        return data


serve(
    routes,
    Crud(
        PLUGINS, "/cluster/acme/plugins", _ID, _PLUGIN, lists=_SYS_MODIFY, reads=_SYS_MODIFY, makes=_SYS_MODIFY,
        changes=_SYS_MODIFY, removes=_SYS_MODIFY, listed=_plugin_row, shown=_plugin_row, forgets_missing=True,
        filters={"type": one_of("dns", "standalone")}, shows_key=False,
    ),
)  # fmt: skip
