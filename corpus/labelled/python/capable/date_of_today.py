# capabilities: time; hidden by: renamed class
from datetime import date as Day

print(Day.today().isoformat())
