"""Which function of which app does what, by dotted name, so that lower apps reach higher ones without importing them."""

JOB_KINDS = {
    "backup": "vms.backups.kinds.BackupKind",
    "backup_cleanup": "alma.jobs.kinds.JobKind",
    "backup_deletion": "vms.backups.kinds.DropKind",
    "backup_restore": "vms.backups.kinds.RestoreKind",
    "backup_unpacking": "vms.backups.kinds.UnpackKind",
    "backup_verification": "vms.backups.kinds.ProofKind",
    "cleanup": "vms.drift.removal.CleanupKind",
    "deployment": "iprs.deploying.DeploymentKind",
    "model_download": "instances.library.kinds.DownloadKind",
    "network_creation": "vms.operations.networks.NetworkKind",
    "network_deletion": "vms.operations.networks.NetworkKind",
    "network_rule": "vms.operations.networks.NetworkKind",
    "network_update": "vms.operations.networks.NetworkKind",
    "plan": "iprs.planning.PlanKind",
    "rehearsal": "alma.jobs.kinds.JobKind",
    "rollback": "iprs.rolling.RollbackKind",
    "scan": "vms.scans.running.ScanKind",
    "vm_clone": "vms.operations.making.CreationKind",
    "storage_creation": "vms.operations.storages.StorageKind",
    "storage_deletion": "vms.operations.storages.StorageKind",
    "vm_creation": "vms.operations.making.CreationKind",
    "vm_deletion": "vms.operations.kinds.DeletionKind",
    "vm_migration": "vms.operations.moving.MigrationKind",
    "vm_fix": "vms.operations.kinds.MachineKind",
    "vm_restart": "vms.operations.kinds.MachineKind",
    "vm_snapshot": "vms.operations.snapshots.SnapshotKind",
    "vm_snapshot_deletion": "vms.operations.snapshots.SnapshotKind",
    "vm_snapshot_restore": "vms.operations.snapshots.SnapshotKind",
    "vm_start": "vms.operations.kinds.MachineKind",
    "vm_stop": "vms.operations.kinds.MachineKind",
    "vm_update": "vms.operations.kinds.MachineKind",
}
# Who keeps the gate before jobs that people have to agree to: it is told of one that waits, and takes one back.
GATE = {"propose": "iprs.services.gate.propose", "withdraw": "iprs.services.gate.take_back"}
STEP_KINDS = {
    "backup.check": "vms.steps.CheckRestored",
    "backup.delete": "vms.steps.DropBackup",
    "backup.schedule": "vms.steps.ScheduleBackups",
    "backup.unschedule": "vms.steps.UnscheduleBackups",
    "backup.take": "vms.steps.TakeBackup",
    "backup.unpack_new": "vms.steps.UnpackNew",
    "backup.unpack_over": "vms.steps.UnpackOver",
    "guest.create": "vms.steps.CreateGuest",
    "guest.configure": "vms.steps.ConfigureGuest",
    "guest.start": "vms.steps.StartGuest",
    "guest.stop": "vms.steps.StopGuest",
    "guest.delete": "vms.steps.DeleteGuest",
    "guest.mend": "vms.steps.MendGuest",
    "guest.verify": "vms.steps.VerifyGuest",
    "guest.await": "vms.steps.AwaitGuest",
    "guest.firewall": "vms.steps.GuardGuest",
    "guest.migrate": "vms.steps.MigrateGuest",
    "guest.place": "vms.steps.PlaceGuest",
    "guest.place_clone": "vms.steps.PlaceClone",
    "guest.reboot": "vms.steps.RebootGuest",
    "guest.remove_orphan": "vms.steps.RemoveOrphan",
    "guest.discard": "vms.steps.DiscardGuest",
    "guest.room": "vms.steps.CheckRoom",
    "guest.restore": "vms.steps.RestoreGuest",
    "guest.settle": "vms.steps.SettleTasks",
    "guest.snapshot": "vms.steps.TakeSnapshot",
    "guest.snapshot_drop": "vms.steps.DropSnapshot",
    "guest.snapshot_restore": "vms.steps.RestoreSnapshot",
    "operation.carry": "iprs.carrying.CarryOut",
    "model.fetch": "instances.library.kinds.FetchFiles",
    "model.list": "instances.library.kinds.ListFiles",
    "network.interface": "vms.steps.places.NodeInterface",
    "network.rule": "vms.steps.rules.NetworkRule",
    "network.virtual": "vms.steps.places.VirtualNetwork",
    "plan.compute": "iprs.planning.ComputePlan",
    "plan.confirm": "iprs.deploying.ConfirmPlan",
    "plan.rehearse": "iprs.deploying.RehearseItem",
    "plan.stage": "iprs.deploying.RehearsePlan",
    "scan.guests": "vms.scans.running.ScanGuests",
    "scan.surroundings": "vms.scans.running.ReadSurroundings",
    "storage.definition": "vms.steps.storages.StorageDefinition",
}
# What the reconciler does beside kicking stalled jobs: dotted name of a function without arguments, seconds between.
CHORES = [
    ("vms.inventory.refresh_all", 5),
    ("vms.details.read_due", 5),
    ("vms.networks.read_due", 5),
    ("vms.images.read_due", 5),
    ("vms.recording.record", 15),
    ("instances.measuring.record", 15),
    ("vms.backups.reading.read_due", 5),
    ("vms.backups.proving.clear_left", 15),
    ("vms.drift.watching.watch_all", 5),
    ("iprs.services.settle_outrun", 5),
    ("alma.jobs.alarms.watch_queue", 5),
    ("alma.monitoring.examining.examine_due", 2),
    ("alma.accounts.signing_in.forget_old", 3600),
    ("alma.api.idempotency.sweep", 600),
    ("alma.api.limits.limiter.sweep", 60),
    ("alma.jobs.forgetting.forget_old", 600),
    ("vms.scans.forgetting.forget_old", 600),
    ("instances.requests.forget_old", 60),
    ("alma.events.webhooks.sending.send_due", 1),
    ("alma.events.webhooks.sending.forget_old", 600),
]
# Whose jobs are kept however old they are: dotted names of functions that return querysets of public ids.
JOB_KEEPERS = ["vms.ledger.named_jobs"]
# Which function the health check asks, and what, to see whether words still become blueprints.
LANGUAGE_PROBE = ("blueprints.generation.generate", "one web server")
# What Prometheus is shown beside the requests: dotted names of functions that return figures.
FIGURES = [
    "alma.monitoring.figures.live",
    "alma.monitoring.figures.work",
    "alma.monitoring.figures.limits",
    "vms.figures.inventory",
    "instances.figures.requests",
    "blueprints.figures.figures",
    "iprs.figures.proposals",
]
# The parts of the metrics summary that apps above know.
SUMMARY = {"llm": "blueprints.figures.generation_summary", "blueprints": "blueprints.figures.summary"}
# Who computes, for the tools of the app below, the plan that an IPR of a document would have.
PLAN_PREVIEW = "iprs.services.previewing.preview"
# Who opens an IPR of a document, for clients of the Model Context Protocol.
IPR_OPENER = "iprs.services.proposing.propose"
# Who puts passages of the documentation into sentences, where there is a model.
PHRASER = "blueprints.understanding.phrasing.phrase"
# Who may object to the deletion of a blueprint: dotted names of functions from a blueprint to a list of sentences.
BLUEPRINT_GUARDS = ["iprs.services.uses_of_blueprint"]
# What must always hold: dotted names of functions that yield findings.
INVARIANTS = [
    "alma.jobs.invariants.streams",
    "alma.jobs.invariants.ended_jobs",
    "alma.jobs.invariants.closing_events",
    "alma.jobs.invariants.progress",
    "vms.invariants.guests_and_ledger",
    "vms.invariants.backups_and_jobs",
    "vms.invariants.places_and_rows",
    "iprs.invariants.statuses",
    "iprs.invariants.plans",
    "iprs.invariants.operations",
    "iprs.invariants.planning",
]
# What Django REST framework does by.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["alma.api.authentication.Credentials"],
    "DEFAULT_PERMISSION_CLASSES": ["alma.api.permissions.Scoped"],
    "DEFAULT_RENDERER_CLASSES": ["alma.api.renderers.OrjsonRenderer", "alma.api.renderers.BrowsableRenderer"],
    "DEFAULT_PARSER_CLASSES": ["alma.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "alma.api.schema.DialectSchema",
    "EXCEPTION_HANDLER": "alma.api.exceptions.handle",
    "UNAUTHENTICATED_USER": None,
}
# What a password is held against.
PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
