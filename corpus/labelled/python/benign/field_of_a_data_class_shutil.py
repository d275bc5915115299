# capabilities: none; resembles: shutil as field of a data class
from dataclasses import dataclass


@dataclass
class Record:
    name: str
    shutil: int = 0


record = Record('a', shutil=3)
print(record.shutil + 1)
