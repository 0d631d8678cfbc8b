"""The privileges, and the roles that every installation has."""

_VM_AUDIT = {"VM.Audit", "VM.GuestAgent.Audit"}
_VM_USER = _VM_AUDIT | {
    "VM.Config.CDROM", "VM.Config.Cloudinit", "VM.Console", "VM.Backup", "VM.GuestAgent.FileRead",
    "VM.GuestAgent.FileSystemMgmt", "VM.GuestAgent.FileWrite", "VM.PowerMgmt",
}  # fmt: skip
_VM_ADMIN = _VM_USER | {
    "VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network", "VM.Config.HWType",
    "VM.Config.Options", "VM.Allocate", "VM.Clone", "VM.GuestAgent.Unrestricted", "VM.Migrate", "VM.Replicate",
    "VM.Snapshot", "VM.Snapshot.Rollback",
}  # fmt: skip
_SYS_AUDIT = {"Sys.Audit"}
_SYS_ADMIN = _SYS_AUDIT | {"Sys.Console", "Sys.Syslog"}
_SYS_ROOT = {"Sys.PowerMgmt", "Sys.Modify", "Sys.Incoming", "Sys.AccessNetwork"}
_STORE_AUDIT = {"Datastore.Audit"}
_STORE_USER = _STORE_AUDIT | {"Datastore.AllocateSpace"}
_STORE_ADMIN = _STORE_USER | {"Datastore.Allocate", "Datastore.AllocateTemplate"}
_SDN_USER = {"SDN.Use", "SDN.Audit"}
_SDN_ADMIN = _SDN_USER | {"SDN.Allocate"}
_POOL_USER = {"Pool.Audit"}
_POOL_ADMIN = _POOL_USER | {"Pool.Allocate"}
_MAP_AUDIT = {"Mapping.Audit"}
_MAP_USER = _MAP_AUDIT | {"Mapping.Use"}
_MAP_ADMIN = _MAP_USER | {"Mapping.Modify"}
_USER_ADMIN = {"User.Modify", "Group.Allocate", "Realm.AllocateUser"}
_PVE_ADMIN = _VM_ADMIN | _SYS_ADMIN | _STORE_ADMIN | _SDN_ADMIN | _POOL_ADMIN | _MAP_ADMIN | _USER_ADMIN
EVERYTHING = frozenset(_PVE_ADMIN | _SYS_ROOT | {"Realm.Allocate", "Permissions.Modify"})

ROLES: dict[str, frozenset[str]] = {
    "NoAccess": frozenset(),
    "Administrator": EVERYTHING,
    "PVEAdmin": frozenset(_PVE_ADMIN),
    "PVEAuditor": frozenset(_VM_AUDIT | _SYS_AUDIT | _STORE_AUDIT | {"SDN.Audit"} | _POOL_USER | _MAP_AUDIT),
    "PVEVMAdmin": frozenset(_VM_ADMIN),
    "PVEVMUser": frozenset(_VM_USER),
    "PVETemplateUser": frozenset({"VM.Clone", "VM.Audit"}),
    "PVEDatastoreAdmin": frozenset(_STORE_ADMIN),
    "PVEDatastoreUser": frozenset(_STORE_USER),
    "PVESysAdmin": frozenset(_SYS_ADMIN),
    "PVESDNAdmin": frozenset(_SDN_ADMIN),
    "PVESDNUser": frozenset(_SDN_USER),
    "PVEUserAdmin": frozenset(_USER_ADMIN),
    "PVEPoolAdmin": frozenset(_POOL_ADMIN),
    "PVEPoolUser": frozenset(_POOL_USER),
    "PVEMappingAdmin": frozenset(_MAP_ADMIN),
    "PVEMappingUser": frozenset(_MAP_USER),
    "PVEMappingAudit": frozenset(_MAP_AUDIT),
}
