"""What a call or a worker of the simulated cluster can answer instead of a result."""


class ApiError(Exception):
    """An HTTP answer that is not 2xx: the first line of the message becomes the reason phrase."""

    def __init__(
        self, status: int, message: str, *, errors: dict[str, str] | None = None, is_line: bool = True
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors or {}
        self.is_line = is_line
        """Whether the message in the body ends with a newline, as what Perl died of does."""


class TaskError(Exception):
    """A worker died: the text becomes the task's exit status."""


class NeedsTime(Exception):
    """The call waits for a lock that a running task holds; ask again at `until`."""

    def __init__(self, until: float) -> None:
        super().__init__(f"wait until {until}")
        self.until = until


def die(text: str) -> ApiError:
    """The 500 that `die "text\\n"` becomes."""
    return ApiError(500, text)


def invalid(**errors: str) -> ApiError:
    """The 400 of a refused parameter; underscores of keyword names stand for dashes."""
    return wrong({name.replace("_", "-"): text for name, text in errors.items()})


def wrong(errors: dict[str, str]) -> ApiError:
    """The 400 of refused parameters, spelt as they are."""
    return ApiError(400, "Parameter verification failed.", errors=errors)


def refused(detail: str = "") -> ApiError:
    """The 403 of a missing privilege."""
    return ApiError(403, f"Permission check failed ({detail})" if detail else "Permission check failed")
