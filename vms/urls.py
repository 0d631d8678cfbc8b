"""Routes of pages."""

from django.urls import path

from vms.operations.verbs import FOR_MANY, VERBS
from vms.views import (
    acting,
    backup_acting,
    backups,
    clusters,
    guests,
    machine,
    making,
    networks,
    places,
    registration,
    scans,
    security,
    snapshots,
    storages,
    strays,
    trials,
)

app_name = "vms"
urlpatterns = [
    path("vms/", guests.guest_list, name="list"),
    path("vms/new/", making.machine_new, name="new"),
    path("vms/summary/", guests.summary, name="summary"),
    path("vms/<int:pk>/backups/", backups.machine_backups, name="machine-backups"),
    path("backups/", backups.backup_list, name="backups"),
    path("backups/gaps/", backups.gap_list, name="backup-gaps"),
    path("vms/<int:pk>/backups/take/", backup_acting.backup_take, name="backup-take"),
    path("backups/<int:pk>/", backup_acting.backup_detail, name="backup"),
    path("backups/<int:pk>/restore/", backup_acting.backup_restore, name="backup-restore"),
    *(
        path(f"backups/<int:pk>/{way}/", backup_acting.backup_act, {"way": way}, name=f"backup-{way}")
        for way in backup_acting.WAYS
    ),
    path("vms/actions/", acting.acted, name="acted"),
    *(path(f"vms/actions/{verb}/", acting.act, {"verb": verb}, name="act") for verb in FOR_MANY),
    path("vms/<int:pk>/", machine.detail, name="guest"),
    path("vms/vm-<int:pk>/", machine.by_public_id, name="guest-by-id"),
    path("vms/<int:pk>/console/", machine.console, name="console"),
    path("vms/<int:pk>/figures/", machine.figures, name="guest-figures"),
    *(path(f"vms/<int:pk>/{verb}/", acting.act_on, {"verb": verb}, name="guest-act") for verb in VERBS),
    *(
        path(f"vms/<int:pk>/snapshots/<int:number>/{way}/", snapshots.act_on, {"way": way}, name="snapshot-act")
        for way in snapshots.WAYS
    ),
    path("storage/", places.storage_list, name="storages"),
    path("storage/new/", storages.storage_new, name="storage-new"),
    path("storage/<int:pk>/delete/", storages.storage_delete, name="storage-delete"),
    path("networks/", places.network_list, name="networks"),
    path("networks/new/", networks.network_new, name="network-new"),
    path("networks/<int:pk>/", networks.network_detail, name="network"),
    path("networks/<int:pk>/change/", networks.network_change, name="network-change"),
    path("networks/<int:pk>/delete/", networks.network_delete, name="network-delete"),
    path("networks/<int:pk>/rules/", networks.rule_add, name="network-rules"),
    path("networks/<int:pk>/rules/<slug:rule_id>/remove/", networks.rule_remove, name="network-rule-remove"),
    path("security/", scans.scan_list, name="scans"),
    path("security/start/", scans.scan_start, name="scan-start"),
    path("security/<int:pk>/", scans.scan_detail, name="scan"),
    path("security/<int:pk>/cancel/", scans.scan_cancel, name="scan-cancel"),
    path("security/<int:pk>/findings/<int:finding>/fix/", scans.finding_fix, name="finding-fix"),
    path("clusters/", clusters.cluster_list, name="clusters"),
    path("clusters/new/", registration.cluster_new, name="cluster-new"),
    path("clusters/<slug:slug>/", clusters.cluster_detail, name="cluster"),
    path("clusters/<slug:slug>/guests/", clusters.cluster_guests, name="cluster-guests"),
    path("clusters/<slug:slug>/tasks/", clusters.cluster_tasks, name="cluster-tasks"),
    path("clusters/<slug:slug>/tasks/<int:pk>/", clusters.task_detail, name="cluster-task"),
    path("clusters/<slug:slug>/strays/<int:pk>/", strays.stray_decide, name="stray"),
    path("clusters/<slug:slug>/security/", security.cluster_security, name="cluster-security"),
    path("clusters/<slug:slug>/checks/", clusters.cluster_checks, name="cluster-checks"),
    path("clusters/<slug:slug>/faults/", trials.faults, name="cluster-faults"),
    path("clusters/<slug:slug>/faults/heal/", trials.heal, name="cluster-heal"),
    path("clusters/<slug:slug>/faults/speed/", trials.speed, name="cluster-speed"),
    path("clusters/<slug:slug>/faults/reset/", trials.reset, name="cluster-reset"),
    path("clusters/<slug:slug>/change/", registration.cluster_change, name="cluster-change"),
    path("clusters/<slug:slug>/test/", registration.cluster_test, name="cluster-test"),
    path("clusters/<slug:slug>/switch/", registration.cluster_switch, name="cluster-switch"),
]
