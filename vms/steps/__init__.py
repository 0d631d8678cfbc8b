"""What can be done to a guest, as journaled steps. ALMA_STEP_KINDS names them."""

from vms.steps.backups import DropBackup, TakeBackup
from vms.steps.configure import ConfigureGuest
from vms.steps.create import CreateGuest
from vms.steps.delete import DeleteGuest
from vms.steps.discard import DiscardGuest
from vms.steps.firewall import GuardGuest
from vms.steps.mend import MendGuest
from vms.steps.migrate import MigrateGuest
from vms.steps.orphan import RemoveOrphan
from vms.steps.place import PlaceGuest
from vms.steps.place_clone import PlaceClone
from vms.steps.power import StartGuest, StopGuest
from vms.steps.proving import CheckRestored
from vms.steps.reboot import RebootGuest
from vms.steps.restore import RestoreGuest
from vms.steps.room import CheckRoom
from vms.steps.scheduling import ScheduleBackups, UnscheduleBackups
from vms.steps.settle import SettleTasks
from vms.steps.snapshots import DropSnapshot, RestoreSnapshot, TakeSnapshot
from vms.steps.unpack import UnpackNew, UnpackOver
from vms.steps.verify import VerifyGuest
from vms.steps.wait_up import AwaitGuest

__all__ = [
    "AwaitGuest", "CheckRestored", "CheckRoom", "ConfigureGuest", "CreateGuest", "DeleteGuest", "DiscardGuest",
    "DropBackup", "DropSnapshot", "GuardGuest", "MendGuest", "MigrateGuest", "PlaceClone", "PlaceGuest",
    "RebootGuest", "RemoveOrphan", "RestoreGuest", "RestoreSnapshot", "ScheduleBackups", "SettleTasks",
    "StartGuest", "StopGuest", "TakeBackup", "TakeSnapshot", "UnpackNew", "UnpackOver", "UnscheduleBackups",
    "VerifyGuest",
]  # fmt: skip
