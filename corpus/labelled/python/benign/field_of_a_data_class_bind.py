# capabilities: none; resembles: bind as field of a data class
from dataclasses import dataclass


@dataclass
class Record:
    name: str
    bind: int = 0


record = Record('a', bind=3)
print(record.bind + 1)
