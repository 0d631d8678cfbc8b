"""Routes of IPRs and deployments. API routes answer with and without the trailing slash."""

from django.urls import path, re_path

from iprs import views
from iprs.api import deployments, iprs

app_name = "iprs"
_IPR = r"^api/v1/iprs?/(?P<ipr_id>[0-9]{1,18})"
_DEPLOYMENT = r"^api/v1/deployments/(?P<deployment_id>[\w-]{1,40})"

urlpatterns = [
    path("iprs/", views.ipr_list, name="list"),
    path("iprs/new/", views.ipr_new, name="new"),
    path("iprs/<int:pk>/", views.ipr_detail, name="detail"),
    path("iprs/<int:pk>/changes/", views.ipr_changes, name="changes"),
    path("iprs/<int:pk>/review/", views.ipr_review, name="review"),
    path("iprs/<int:pk>/replan/", views.ipr_replan, name="replan"),
    path("iprs/<int:pk>/withdraw/", views.ipr_withdraw, name="withdraw"),
    path("iprs/<int:pk>/reopen/", views.ipr_reopen, name="reopen"),
    path("iprs/<int:pk>/deploy/", views.ipr_deploy, name="deploy"),
    path("clusters/<slug:slug>/drift/", views.cluster_drift, name="drift"),
    path("clusters/<slug:slug>/drift/<int:pk>/answer/", views.drift_answer, name="drift-answer"),
    path("deployments/", views.deployment_list, name="deployments"),
    path("deployments/<slug:public_id>/", views.deployment_detail, name="deployment"),
    path("deployments/<slug:public_id>/cancel/", views.deployment_cancel, name="deployment-cancel"),
    path("deployments/<slug:public_id>/rollback/", views.deployment_rollback, name="deployment-rollback"),
    path("deployments/<slug:public_id>/retry/", views.deployment_retry, name="deployment-retry"),
    re_path(r"^api/v1/iprs?/?$", iprs.IPRList.as_view(), name="api-list"),
    re_path(_IPR + r"/?$", iprs.IPRDetail.as_view(), name="api-detail"),
    re_path(_IPR + r"/plan/?$", iprs.IPRPlan.as_view(), name="api-plan"),
    re_path(_IPR + r"/review/?$", iprs.IPRReviewView.as_view(), name="api-review"),
    re_path(_IPR + r"/deploy/?$", iprs.IPRDeploy.as_view(), name="api-deploy"),
    re_path(_IPR + r"/replan/?$", iprs.IPRReplan.as_view(), name="api-replan"),
    re_path(_IPR + r"/cancel/?$", iprs.IPRCancel.as_view(), name="api-cancel"),
    re_path(
        r"^api/v1/blueprints/(?P<blueprint_id>[0-9]{1,18})/deploy/?$",
        iprs.BlueprintDeploy.as_view(),
        name="api-blueprint-deploy",
    ),
    re_path(r"^api/v1/deployments/?$", deployments.DeploymentList.as_view(), name="api-deployments"),
    re_path(_DEPLOYMENT + r"/?$", deployments.DeploymentDetail.as_view(), name="api-deployment"),
    re_path(_DEPLOYMENT + r"/events/?$", deployments.DeploymentEvents.as_view(), name="api-events"),
    re_path(_DEPLOYMENT + r"/cancel/?$", deployments.DeploymentCancel.as_view(), name="api-deployment-cancel"),
    re_path(_DEPLOYMENT + r"/rollback/?$", deployments.DeploymentRollback.as_view(), name="api-deployment-rollback"),
    re_path(_DEPLOYMENT + r"/retry/?$", deployments.DeploymentRetry.as_view(), name="api-deployment-retry"),
]
