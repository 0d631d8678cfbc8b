"""Routes of monitoring."""

from django.urls import path, re_path

from alma.monitoring import views
from alma.monitoring.api import health, limits, metrics

app_name = "monitoring"
_API = r"^api/v1/monitoring"
urlpatterns = [
    path("settings/doctor/", views.doctor, name="doctor"),
    path("settings/doctor/examine/", views.examine, name="examine"),
    re_path(rf"{_API}/health/?$", health.Health.as_view(), name="health"),
    re_path(rf"{_API}/health/detailed/?$", health.DetailedHealth.as_view(), name="health-detailed"),
    re_path(rf"{_API}/metrics/?$", metrics.Metrics.as_view(), name="metrics"),
    re_path(rf"{_API}/metrics/summary/?$", metrics.Summary.as_view(), name="summary"),
    re_path(rf"{_API}/rate-limit/stats/?$", limits.RateLimitStats.as_view(), name="rate-limit-stats"),
    re_path(r"^metrics/?$", metrics.RootMetrics.as_view(), name="root-metrics"),
]
