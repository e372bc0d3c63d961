"""What every test shares: contract suites whose failures explain themselves, and properties without a stop-watch."""

import pytest
from hypothesis import settings

# Not a test module by name, so pytest would leave its assertions without their values.
pytest.register_assert_rewrite("tests.contracts")

# Two busy cores are slow now and then; the whole test has a timeout of its own.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
