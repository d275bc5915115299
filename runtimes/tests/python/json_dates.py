import json, datetime, decimal, fractions
print(json.dumps({'d': datetime.date(2024, 2, 29).isoformat(), 'n': [1.5, None, True]}, indent=2, sort_keys=True))
print(decimal.Decimal('0.1') + decimal.Decimal('0.2'), fractions.Fraction(3, 9))
print(datetime.datetime(2024, 1, 1) + datetime.timedelta(days=59))
