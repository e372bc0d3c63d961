"""Fast tests: no browser, no network outside 127.0.0.1. `python3 -m tests` runs them and the slow ones in e2e/."""
