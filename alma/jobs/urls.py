"""Routes of jobs: pages, and the API with and without a trailing slash."""

from django.urls import path, re_path

from alma.jobs import views as pages
from alma.jobs.api import views

app_name = "jobs"
urlpatterns = [
    path("jobs/", pages.job_list, name="pages"),
    path("jobs/tray/", pages.job_tray, name="tray"),
    path("jobs/dismiss/", pages.dismiss_all, name="dismiss-all"),
    path("jobs/<slug:public_id>/", pages.job_detail, name="page"),
    path("jobs/<slug:public_id>/cancel/", pages.job_cancel, name="cancel"),
    path("jobs/<slug:public_id>/dismiss/", pages.job_dismiss, name="dismiss"),
    re_path(r"^v1/jobs/?$", views.Jobs.as_view(), name="list"),
    re_path(r"^v1/jobs/(?P<job_id>[\w-]{1,60})/?$", views.JobItem.as_view(), name="detail"),
]
