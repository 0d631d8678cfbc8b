"""App configuration."""

from django.apps import AppConfig
from django.core.checks import register

from alma.accounts.checks import identity_provider, open_to_the_network, relaxed_rules


class AccountsConfig(AppConfig):
    """Accounts."""

    name = "alma.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Register the system checks."""
        register(identity_provider)
        register(open_to_the_network)
        register(relaxed_rules, deploy=True)
