"""The slow tests: real browser, real hub, and a fake CDC that shares no code with either."""
