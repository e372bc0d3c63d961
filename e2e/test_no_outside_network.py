"""Nothing leaves for any host but the hub; and this check would notice if it did."""

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Request

from e2e.programs import Hub
from e2e.screens import Tablet

LOCAL_SCHEMES = {"data", "blob", "chrome-extension"}


def watch(context: BrowserContext) -> list[str]:
    """Note where each request of pages, frames, workers and service workers goes."""
    hosts: list[str] = []

    def note(request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in LOCAL_SCHEMES:
            hosts.append(url.netloc)

    context.on("request", note)
    return hosts


def test_no_request_leaves_for_any_host_but_the_hub(tablet: Tablet, hub: Hub, roster: Path) -> None:
    desk = tablet.open()
    assert tablet.context is not None
    hosts = watch(tablet.context)

    desk.page.reload()
    desk.wait()
    desk.import_roster(roster)
    desk.record("057164", warn=True)
    for path in ("/", "/BA102_3_UPLOAD", "/BA102_3_DOWNLOAD"):
        desk.go(path)

    assert len(hosts) > 20
    assert set(hosts) == {urlsplit(hub.url).netloc}


def test_the_watch_would_notice_a_request_elsewhere(tablet: Tablet, hub: Hub) -> None:
    desk = tablet.open()
    assert tablet.context is not None
    hosts = watch(tablet.context)

    # From a page without our policy, since with it the browser stops the request before it is made.
    page = tablet.context.new_page()
    page.goto("about:blank")
    page.evaluate("fetch('http://127.0.0.1:9/elsewhere').catch(() => 'refused')")

    assert "127.0.0.1:9" in hosts
    refused = desk.page.evaluate("fetch('http://127.0.0.1:9/elsewhere').then(() => 'sent', () => 'refused')")
    assert refused == "refused"
