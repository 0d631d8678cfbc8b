"""A list and a detail over a ModelSerializer."""

from django.urls import path
from rest_framework import generics, serializers

from blueprints.models import Blueprint


class BlueprintSerializer(serializers.ModelSerializer):
    """The fields that we answer."""

    class Meta:
        model = Blueprint
        fields = [
            "id", "version", "name", "description", "resources", "metadata", "created_at", "updated_at", "created_by",
            "revision_number",
        ]  # fmt: skip


class StockList(generics.ListAPIView):
    """All blueprints, paged."""

    queryset = Blueprint.objects.filter(deleted_at=None)
    serializer_class = BlueprintSerializer


class StockDetail(generics.RetrieveAPIView):
    """One blueprint."""

    queryset = Blueprint.objects.filter(deleted_at=None)
    serializer_class = BlueprintSerializer


urlpatterns = [
    path("api/v1/blueprints/<int:pk>", StockDetail.as_view()),
    path("api/v1/blueprints", StockList.as_view()),
]
