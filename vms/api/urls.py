"""Routes of `/v1`, with and without a trailing slash."""

from django.urls import re_path

from vms.api import (
    about,
    backups,
    changes,
    cloning,
    consoles,
    making,
    metrics,
    moving,
    network_changes,
    network_rules,
    operations,
    scans,
    snapshots,
    storage_changes,
)

app_name = "v1"
_VM = r"^v1/vms/(?P<vm_id>[\w-]{1,60})"
_BACKUP = r"^v1/backups/(?P<backup_id>[\w-]{1,60})"
_SNAPSHOT = _VM + r"/snapshots/(?P<snapshot_id>[\w-]{1,60})"
_NETWORK = r"^v1/networks/(?P<network_id>[^/]+)"

urlpatterns = [
    re_path(r"^v1/health/?$", about.Health.as_view(), name="health"),
    re_path(r"^v1/info/?$", about.Info.as_view(), name="info"),
    re_path(r"^v1/openapi\.json/?$", about.OpenApi.as_view(), name="openapi"),
    re_path(r"^v1/postman/collection\.json/?$", about.Postman.as_view(), name="postman"),
    re_path(r"^v1/backups/?$", backups.Backups.as_view(), name="backups"),
    re_path(_BACKUP + r"/restore/?$", backups.Restore.as_view(), name="backup-restore"),
    re_path(_BACKUP + r"/verify/?$", backups.Verify.as_view(), name="backup-verify"),
    re_path(_BACKUP + r"/?$", backups.Backup.as_view(), name="backup"),
    re_path(r"^v1/networks/?$", network_changes.Networks.as_view(), name="networks"),
    re_path(r"^v1/networks/(?P<network_id>[^/]+)/?$", network_changes.Network.as_view(), name="network"),
    re_path(_NETWORK + r"/firewall-rules/?$", network_rules.Rules.as_view(), name="network-rules"),
    re_path(_NETWORK + r"/firewall-rules/(?P<rule_id>[^/]+)/?$", network_rules.Rule.as_view(), name="network-rule"),
    re_path(r"^v1/security/scans/?$", scans.Scans.as_view(), name="scans"),
    re_path(r"^v1/security/scans/(?P<scan_id>[^/]+)/?$", scans.Scan.as_view(), name="scan"),
    re_path(
        r"^v1/security/scans/(?P<scan_id>[^/]+)/findings/(?P<finding_id>[^/]+)/fix/?$", scans.Fix.as_view(), name="fix"
    ),
    re_path(r"^v1/storage/?$", storage_changes.Storages.as_view(), name="storages"),
    re_path(r"^v1/storage/(?P<storage_id>[^/]+)/?$", storage_changes.Storage.as_view(), name="storage"),
    re_path(r"^v1/monitoring/metrics/?$", metrics.SystemMetrics.as_view(), name="system-metrics"),
    re_path(r"^v1/monitoring/vms/(?P<vm_id>[\w-]{1,60})/metrics/?$", metrics.VmMetrics.as_view(), name="vm-metrics"),
    re_path(r"^v1/vms/?$", making.Machines.as_view(), name="vms"),
    re_path(_VM + r"/start/?$", operations.Start.as_view(), name="vm-start"),
    re_path(_VM + r"/stop/?$", operations.Stop.as_view(), name="vm-stop"),
    re_path(_VM + r"/restart/?$", operations.Restart.as_view(), name="vm-restart"),
    re_path(_VM + r"/clone/?$", cloning.Clone.as_view(), name="vm-clone"),
    re_path(_VM + r"/console/?$", consoles.ConsoleOfMachine.as_view(), name="vm-console"),
    re_path(_VM + r"/migrate/?$", moving.Migrate.as_view(), name="vm-migrate"),
    re_path(_VM + r"/snapshots/?$", snapshots.Snapshots.as_view(), name="vm-snapshots"),
    re_path(_SNAPSHOT + r"/?$", snapshots.Snapshot.as_view(), name="vm-snapshot"),
    re_path(_SNAPSHOT + r"/restore/?$", snapshots.Restore.as_view(), name="vm-snapshot-restore"),
    re_path(_VM + r"/?$", changes.Machine.as_view(), name="vm"),
]
