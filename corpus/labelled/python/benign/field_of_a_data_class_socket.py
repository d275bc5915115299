# capabilities: none; resembles: socket as field of a data class
from dataclasses import dataclass


@dataclass
class Record:
    name: str
    socket: int = 0


record = Record('a', socket=3)
print(record.socket + 1)
