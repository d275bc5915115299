# capabilities: none; resembles: urlopen as field of a data class
from dataclasses import dataclass


@dataclass
class Record:
    name: str
    urlopen: int = 0


record = Record('a', urlopen=3)
print(record.urlopen + 1)
