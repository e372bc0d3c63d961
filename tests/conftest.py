"""What every test shares: contract suites whose failures explain themselves, and properties without a stop-watch."""

import signal

import pytest
from hypothesis import settings

# Not a test module by name, so pytest would leave its assertions without their values.
pytest.register_assert_rewrite("tests.contracts")

# Two busy cores are slow now and then; the whole test has a timeout of its own.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# A run in the background of a shell ignores Ctrl-C, and so would every program that a test starts and stops with it.
signal.signal(signal.SIGINT, signal.default_int_handler)
