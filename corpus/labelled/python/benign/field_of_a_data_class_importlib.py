# capabilities: none; resembles: importlib as field of a data class
from dataclasses import dataclass


@dataclass
class Record:
    name: str
    importlib: int = 0


record = Record('a', importlib=3)
print(record.importlib + 1)
