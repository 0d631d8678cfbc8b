"""One installation, one Chromium and one receiver of webhooks for all tests in a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from instances.tiny import model
from tests.browser.visitor import PATIENCE, Visitor
from tests.fixtures.ports import free_port
from tests.fixtures.receiver import Receiver, listening
from tests.instances.library.hub import Hub, serving
from tests.processes.alma import Alma

Visit = Callable[..., Visitor]
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def hook() -> Iterator[Receiver]:
    """A receiver on loopback."""
    with listening() as found:
        yield found


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """An endpoint with a model, on loopback."""
    path = tmp_path_factory.mktemp("hub") / "tiny.gguf"
    model.write(path)
    with serving(Hub({"tiny-Q4_0.gguf": path.read_bytes()})) as found:
        yield found


@pytest.fixture(scope="session")
def alma(tmp_path_factory: pytest.TempPathFactory, hook: Receiver, hub: Hub) -> Iterator[Alma]:
    """A running installation whose operator allows that receiver and has models from that endpoint."""
    first = free_port(41)
    allowed = {
        "ALMA_INSTANCE_PORTS": f"{first}-{first + 40}",
        "ALMA_OUTBOUND_ALLOW": f"127.0.0.1:{hook.port},127.0.0.1:{hub.port}",
        "ALMA_OUTBOUND_PORTS": f"443,{hook.port}",
        "ALMA_HF_ENDPOINT": hub.url,
        "ALMA_MODELS_RESERVE_GB": "0",
    }
    running = Alma(tmp_path_factory.mktemp("browser"), settings=allowed)
    running.start()
    yield running
    running.end()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium without a window."""
    path = os.environ.get("ALMA_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("CI"):
            raise AssertionError("CI needs Chromium")
        pytest.skip("no Chromium: install it or name it with ALMA_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(alma: Alma, chromium: Browser) -> Iterator[Visit]:
    """Signs people in; at the end nothing may have been complained about, and every window is closed."""
    visitors: list[Visitor] = []

    def come(**how: object) -> Visitor:
        visitors.append(Visitor(chromium, alma, **how))  # type: ignore[arg-type]
        return visitors[-1]

    yield come
    complaints = [line for visitor in visitors for line in visitor.complaints]
    for visitor in visitors:
        visitor.context.close()
    assert complaints == []
