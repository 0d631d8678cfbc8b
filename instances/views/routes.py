"""Routes of pages."""

from django.urls import path

from instances.views import acting, acting_all, activity, detail, lists, making, playground

PAGES = [
    path("activity/", activity.activity, name="activity"),
    path("activity/<uuid:marker>/", activity.request_detail, name="request"),
    path("playground/", playground.playground, name="playground"),
    path("playground/ask/", playground.ask, name="ask"),
    path("instances/", lists.instance_list, name="list"),
    path("instances/new/demo/", acting.make_demo, name="demo"),
    path("instances/new/", making.instance_new, name="new"),
    path("instances/new/options/", making.options, name="options"),
    *(
        path(f"instances/{one}-all/", acting_all.act_all, {"verb": one}, name=f"{one}-all-page")
        for one in acting_all.VERBS
    ),
    path("instances/<str:name>/config/", making.instance_config, name="config"),
    path("instances/<str:name>/export/", making.instance_export, name="export"),
    path("instances/<str:name>/", detail.instance_detail, name="page"),
    *(path(f"instances/<str:name>/{verb}/", acting.act, {"verb": verb}, name=f"page-{verb}") for verb in acting.VERBS),
]
