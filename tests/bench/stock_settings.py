"""Our settings with REST framework put back to its defaults, and pages of 100."""

from alma.settings import *  # noqa: F403 - a variation of all of them

ROOT_URLCONF = "tests.bench.stock_urls"
REST_FRAMEWORK = {
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 100,
}
