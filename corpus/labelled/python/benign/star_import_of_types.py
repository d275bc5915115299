# capabilities: none; resembles: star import
from typing import *


def first(values: List[int]) -> Optional[int]:
    return values[0] if values else None


print(first([1]))
