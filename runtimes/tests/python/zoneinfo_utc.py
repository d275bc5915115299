import datetime, zoneinfo
print(datetime.datetime(2024, 7, 1, tzinfo=datetime.timezone.utc))
print(zoneinfo.ZoneInfo('Europe/Berlin').utcoffset(datetime.datetime(2024, 7, 1)))
