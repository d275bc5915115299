# capabilities: none; resembles: ctypes as field of a data class
from dataclasses import dataclass


@dataclass
class Record:
    name: str
    ctypes: int = 0


record = Record('a', ctypes=3)
print(record.ctypes + 1)
