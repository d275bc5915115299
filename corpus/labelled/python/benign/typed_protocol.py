# capabilities: none; resembles: socket
from __future__ import annotations

from typing import Protocol


class Connection(Protocol):
    def connect(self, host: str) -> bool: ...


def use(connection: Connection) -> bool:
    return connection.connect("example.invalid")


print(Connection.__name__)
