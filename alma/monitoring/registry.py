"""What Prometheus is shown beside the requests: figures that are read when it asks."""

import logging
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string
from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alma.monitoring.figures import Figure
from alma.monitoring.requests import REGISTRY

logger = logging.getLogger(__name__)


class Figures(Collector):
    """The figures of every app. Those that need the database are left out while it is away, and it is said to be."""

    def describe(self) -> list[Metric]:
        """Nothing ahead of time: what there is depends on the settings."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Asked by each scrape."""
        is_up = True
        for name in settings.ALMA_FIGURES:
            read: Callable[[], list[Figure]] = import_string(name)
            try:
                figures = read()
            except DatabaseError:
                logger.warning("the figures %s cannot be read", name, exc_info=True)
                is_up = False
            else:
                yield from map(family, figures)
        yield GaugeMetricFamily("alma_database_up", "Whether the database answered.", value=is_up)


def family(figure: Figure) -> Metric:
    """A figure as the library knows it."""
    kind = CounterMetricFamily if figure.is_counter else GaugeMetricFamily
    metric: CounterMetricFamily | GaugeMetricFamily = kind(figure.name, figure.meaning, labels=figure.labels)
    for labels, value in figure.rows.items():
        metric.add_metric(labels, value)
    return metric


ProcessCollector(registry=REGISTRY)
REGISTRY.register(Figures())
