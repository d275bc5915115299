# capabilities: time; hidden by: aliased import
import datetime as dt

print(dt.datetime.now(tz=dt.timezone.utc))
