# capabilities: none; resembles: system as field of a data class
from dataclasses import dataclass


@dataclass
class Record:
    name: str
    system: int = 0


record = Record('a', system=3)
print(record.system + 1)
