# capabilities: none; resembles: setuid as field of a data class
from dataclasses import dataclass


@dataclass
class Record:
    name: str
    setuid: int = 0


record = Record('a', setuid=3)
print(record.setuid + 1)
