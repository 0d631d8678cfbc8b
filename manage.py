#!/usr/bin/env python3
"""Entry point of every role and management command."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command named on the command line with ALMA's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alma.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
