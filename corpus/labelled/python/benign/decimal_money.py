# capabilities: none; resembles: nothing
from decimal import ROUND_HALF_UP, Decimal

price = Decimal("19.99") * 3
print(price.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))
