# capabilities: none; resembles: time
from datetime import date, timedelta

start = date(2024, 2, 27)
print([str(start + timedelta(days=offset)) for offset in range(4)])
