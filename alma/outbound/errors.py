"""Why a request brought no answer."""

from enum import StrEnum

from alma.errors import Unavailable


class Reason(StrEnum):
    """All that a tenant is told; anything finer would tell what our network looks like from within."""

    NO_ADDRESS = "no_address"
    NO_CONNECTION = "no_connection"
    TLS = "tls"
    TIMEOUT = "timeout"
    NO_ANSWER = "no_answer"


SENTENCES = {
    Reason.NO_ADDRESS: "The host has no address that requests may be sent to.",
    Reason.NO_CONNECTION: "No connection could be made.",
    Reason.TLS: "The receiver's certificate could not be verified, or it speaks no TLS.",
    Reason.TIMEOUT: "The receiver took too long.",
    Reason.NO_ANSWER: "The connection ended without an HTTP answer.",
}


class Unreached(Unavailable):
    """No answer came. Whether the request took effect is unknown, unless no connection was made."""

    code = "UNREACHED"

    def __init__(self, reason: Reason) -> None:
        super().__init__(SENTENCES[reason])
        self.reason = reason
