"""Who asks: a user with a ticket or a token of a user."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    user: str = ""
    tokenid: str = ""
    privsep: bool = False

    @property
    def name(self) -> str:
        """`root@pam` or `root@pam!alma`, as UPIDs and permissions name it."""
        return f"{self.user}!{self.tokenid}" if self.tokenid else self.user

    @property
    def is_root_ticket(self) -> bool:
        return self.user == "root@pam" and not self.tokenid

    @property
    def is_root(self) -> bool:
        return self.user == "root@pam" and not self.privsep


NOBODY = Identity()
