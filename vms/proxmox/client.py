"""A connection to one cluster, through proxmoxer. Calls answer with data, or raise Refusal (a clear no) or Unknown."""

import hashlib
import logging
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import requests
from django.conf import settings
from proxmoxer import ProxmoxAPI
from proxmoxer.core import ResourceException
from requests.adapters import BaseAdapter
from urllib3.exceptions import HTTPError

from alma.errors import Unavailable
from alma.jobs.kinds import Unknown
from vms.models import Cluster
from vms.proxmox.addresses import AddressRefused
from vms.proxmox.answers import Refusal, StrictSerializer, Verdict, clean, refusal
from vms.proxmox.paths import parameters, segments
from vms.proxmox.transport import CallContext, Session, Trust, Unreadable

logger = logging.getLogger(__name__)


class Api:
    """What one thread uses to talk to one cluster. Every segment and parameter is checked before it is sent."""

    def __init__(self, proxmox: ProxmoxAPI, session: Session, context: CallContext) -> None:
        self._proxmox = proxmox
        self._session = session
        self._context = context
        self._ends_at = math.inf

    def begin(self, seconds: float | None = None) -> "Api":
        """From now on, all calls together get the time of one: a turn on a slow cluster must not outlast its lease. Those for
        whom somebody waits get less."""
        self._ends_at = time.monotonic() + (seconds or settings.ALMA_CLUSTER_TOTAL_SECONDS)
        return self

    def carry(self, adapter: BaseAdapter) -> None:
        """From now on, speak through this adapter and nothing else."""
        self._session.carry(adapter)

    def close(self) -> None:
        """Close the connections that are kept open for the next call."""
        self._session.close()

    def get(self, *path: str | int, **query: Any) -> Any:
        """Read. An unclear refusal of a read tells nothing, so it is Unknown. Raises Refusal, Unknown."""
        try:
            return self._call("get", path, query)
        except Refusal as error:
            if error.verdict == Verdict.UNCLEAR:
                raise Unknown(error.text) from error
            raise

    def beside(self, name: str) -> Any:
        """What stood beside the data of the last answer, such as the `changes` of a node's network."""
        return self._proxmox._store["serializer"].beside.get(name)

    def post(self, *path: str | int, **values: Any) -> Any:
        """Do. Raises Refusal, Unknown: then it may have happened or not."""
        return self._call("post", path, values)

    def put(self, *path: str | int, **values: Any) -> Any:
        """Change. Raises Refusal, Unknown: then it may have happened or not."""
        return self._call("put", path, values)

    def delete(self, *path: str | int, **query: Any) -> Any:
        """Remove. Raises Refusal, Unknown: then it may have happened or not."""
        return self._call("delete", path, query)

    def _call(self, method: str, path: tuple[str | int, ...], values: dict[str, Any]) -> Any:
        resource = self._proxmox(segments(path, is_read=method == "get"))
        checked = parameters(values)
        self._context.begin(min(settings.ALMA_CLUSTER_TOTAL_SECONDS, self._time_left()))
        try:
            return getattr(resource, method)(**checked)
        except ResourceException as error:
            raise refusal(error) from error
        except (requests.RequestException, HTTPError, OSError) as error:
            raise Unknown(_reason(error)) from error

    def _time_left(self) -> float:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise Unknown("The cluster answers too slowly.")
        return left


_REASONS = (
    (("fingerprints did not match",), "The certificate of the cluster is not the pinned one."),
    (
        ("certificate verify failed", "hostname mismatch", "doesn't match"),
        "The certificate of the cluster could not be verified.",
    ),
    (("timed out", "total deadline"), "The cluster did not answer in time."),
    (("refused",), "The cluster refused the connection."),
)


def _reason(error: Exception) -> str:
    """Why there was no answer, without addresses of objects and the like."""
    words = str(error).lower()
    known = (sentence for signs, sentence in _REASONS if any(sign in words for sign in signs))
    told = _refused_address(error) or next(known, "")
    if told or isinstance(error, Unreadable):
        return told or clean(error, 200)
    return "The connection to the cluster broke."


def _refused_address(error: BaseException | None) -> str:
    """The sentence of a refused address that an error came from."""
    while error is not None:
        if isinstance(error, AddressRefused):
            return str(error)
        error = error.__cause__ or error.__context__
    return ""


_mine = threading.local()
_carried: ContextVar[Mapping[int, Api]] = ContextVar("carried", default=MappingProxyType({}))


def connect(cluster: Cluster, *, seconds: float | None = None) -> Api:
    """The connection of this thread to a cluster, with the time of one call ahead of it, or less. Raises Unknown.

    It is made anew when the cluster's settings have changed.
    """
    if carried := _carried.get().get(cluster.pk):
        return carried.begin(seconds)
    kept = _kept()
    fingerprint = _fingerprint(cluster)
    if cluster.pk in kept and kept[cluster.pk][0] != fingerprint:
        kept.pop(cluster.pk)[1].close()
    if cluster.pk not in kept:
        kept[cluster.pk] = (fingerprint, _open(cluster))
    return kept[cluster.pk][1].begin(seconds)


@contextmanager
def carried_by(cluster: Cluster, adapter: BaseAdapter) -> Iterator[Api]:
    """Within the block, and in the lanes that are begun in it, a cluster is spoken to through an adapter, and never itself."""
    api = _open(cluster)
    api.carry(adapter)
    token = _carried.set({**_carried.get(), cluster.pk: api})
    try:
        yield api.begin()
    finally:
        _carried.reset(token)
        api.close()


def disconnect() -> None:
    """Close all connections of this thread."""
    kept = _kept()
    while kept:
        kept.popitem()[1][1].close()


def _kept() -> dict[int, tuple[str, Api]]:
    """What this thread has open, by cluster; a forked child begins with nothing, for the sockets are its parent's."""
    if getattr(_mine, "pid", None) != os.getpid():
        _mine.pid = os.getpid()
        _mine.apis = {}
    apis: dict[int, tuple[str, Api]] = _mine.apis
    return apis


def _fingerprint(cluster: Cluster) -> str:
    parts = (
        cluster.host, str(cluster.port), cluster.token_id, cluster.token_secret_sealed, cluster.ca_pem, cluster.fingerprint,
        str(cluster.verifies_tls), str(cluster.is_sandbox),
    )  # fmt: skip
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def trust_of(cluster: Cluster) -> Trust:
    """How it is verified; not at all only while the operator's settings allow that, and never without a line of log."""
    is_verified = cluster.verifies_tls or not settings.ALMA_CLUSTER_ALLOW_UNVERIFIED
    if not is_verified and not cluster.fingerprint:
        logger.warning("the certificate of cluster %s is not verified", cluster.slug)
    return Trust(cluster.ca_pem, cluster.fingerprint, is_verified)


def _secret(cluster: Cluster) -> str:
    try:
        return cluster.token_secret
    except Unavailable as error:
        raise Unknown(error.message) from error


def authorization_of(cluster: Cluster) -> str:
    """The header by which a cluster knows us. Raises Unknown."""
    return f"PVEAPIToken={cluster.token_id}={_secret(cluster)}"


def _open(cluster: Cluster) -> Api:
    user, _, token_name = cluster.token_id.partition("!")
    secret, trust = _secret(cluster), trust_of(cluster)
    context = trust.context()
    context.is_sandbox = cluster.is_sandbox
    session = Session((cluster.host, cluster.port), context, trust, authorization_of(cluster))
    proxmox = ProxmoxAPI(cluster.host, port=cluster.port, user=user, token_name=token_name, token_value=secret)
    proxmox._store["session"].close()
    proxmox._store.update(session=session, serializer=StrictSerializer())
    return Api(proxmox, session, context)
