"""Wiring of what spans all apps: the home page, the navigation's counts, and the last answer when nothing else fits."""

from alma.overview.navigation import navigation
from alma.overview.pages import bad_request, csrf_failure, forbidden, home, not_found, server_error

__all__ = ["bad_request", "csrf_failure", "forbidden", "home", "navigation", "not_found", "server_error"]
