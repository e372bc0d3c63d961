"""A request that is not answered, raised wherever that is decided; middlewares.py gives it the shape of errors."""


class Refused(Exception):
    """The request is not answered; `code` never changes once shipped, `detail` holds no clinical content."""

    def __init__(self, status: int, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.detail = status, code, detail
