import pytest
from argon2 import PasswordHasher

from sync.access import passwords


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of accounts are made here; what a hash costs in a clinic is a test of its own."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
