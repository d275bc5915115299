"""Reads sales from a CSV file and prints a monthly report with outliers and forecasts."""

import argparse
import collections
import csv
import dataclasses
import datetime
import json
import math
import pathlib
import statistics
import sys

CURRENCIES = {"EUR": 1.0, "USD": 0.92, "GBP": 1.17, "CHF": 1.04}
COLUMNS = ("date", "region", "product", "quantity", "price", "currency")
OUTLIER_DEVIATIONS = 3.0
SEASON_MONTHS = 12
ENCODING = "utf-8"
FIRST_LINE = 2


class BadRow(ValueError):
    """A line of the file that is no sale."""

    def __init__(self, line, why):
        super().__init__(f"line {line}: {why}")
        self.line = line
        self.why = why


@dataclasses.dataclass(frozen=True)
class Sale:
    """One sale, in euros."""

    date: datetime.date
    region: str
    product: str
    quantity: int
    amount: float

    @property
    def month(self):
        return self.date.replace(day=1)


@dataclasses.dataclass
class Summary:
    """What is known of one group of sales."""

    count: int = 0
    quantity: int = 0
    amount: float = 0.0
    largest: float = 0.0

    def add(self, sale):
        self.count += 1
        self.quantity += sale.quantity
        self.amount += sale.amount
        self.largest = max(self.largest, sale.amount)

    @property
    def average(self):
        return self.amount / self.count if self.count else 0.0


def parse_row(line, row):
    """Checks one row and makes a sale of it."""
    missing = [name for name in COLUMNS if not row.get(name)]
    if missing:
        raise BadRow(line, "no " + ", ".join(missing))
    try:
        date = datetime.date.fromisoformat(row["date"])
        quantity = int(row["quantity"])
        price = float(row["price"])
    except ValueError as error:
        raise BadRow(line, str(error)) from error
    if quantity <= 0 or not math.isfinite(price) or price < 0:
        raise BadRow(line, "quantity and price must be positive")
    rate = CURRENCIES.get(row["currency"].upper())
    if rate is None:
        raise BadRow(line, f"unknown currency {row['currency']!r}")
    return Sale(date, row["region"].strip(), row["product"].strip(), quantity, quantity * price * rate)


def read_sales(path):
    """All sales of a file, and the rows that are none."""
    sales, bad = [], []
    with path.open(newline="", encoding=ENCODING) as file:
        for line, row in enumerate(csv.DictReader(file), start=FIRST_LINE):
            try:
                sales.append(parse_row(line, row))
            except BadRow as error:
                bad.append(error)
    return sales, bad


def group(sales, key):
    """Summaries of sales, by what `key` says of each."""
    groups = collections.defaultdict(Summary)
    for sale in sales:
        groups[key(sale)].add(sale)
    return dict(sorted(groups.items()))


def outliers(sales):
    """Sales far from the mean of their product."""
    by_product = collections.defaultdict(list)
    for sale in sales:
        by_product[sale.product].append(sale)
    for product_sales in by_product.values():
        amounts = [sale.amount for sale in product_sales]
        if len(amounts) < 3:
            continue
        mean = statistics.fmean(amounts)
        deviation = statistics.stdev(amounts)
        for sale in product_sales:
            if deviation and abs(sale.amount - mean) / deviation > OUTLIER_DEVIATIONS:
                yield sale


def smooth(values, alpha=0.4):
    """Exponential smoothing; the last value is the level."""
    level = values[0]
    for value in values[1:]:
        level = alpha * value + (1 - alpha) * level
    return level


def seasonal_factors(months):
    """How much each month of the year differs from the average."""
    totals = collections.defaultdict(list)
    for month, summary in months.items():
        totals[month.month].append(summary.amount)
    overall = statistics.fmean(summary.amount for summary in months.values())
    factors = {}
    for number in range(1, SEASON_MONTHS + 1):
        amounts = totals.get(number)
        factors[number] = statistics.fmean(amounts) / overall if amounts and overall else 1.0
    return factors


def forecast(months, ahead):
    """The expected amounts of the next months."""
    if not months:
        return []
    factors = seasonal_factors(months)
    level = smooth([summary.amount for summary in months.values()])
    last = max(months)
    expected = []
    for step in range(1, ahead + 1):
        index = last.month - 1 + step
        month = last.replace(year=last.year + index // 12, month=index % 12 + 1)
        expected.append((month, level * factors[month.month]))
    return expected


def as_text(title, groups):
    """A table for people."""
    lines = [title, "-" * len(title)]
    for name, summary in groups.items():
        lines.append(
            f"{name!s:<14} {summary.count:>6} {summary.quantity:>8} "
            f"{summary.amount:>14,.2f} {summary.average:>12,.2f}"
        )
    return "\n".join(lines)


def as_json(groups):
    """The same for programs."""
    return {str(name): dataclasses.asdict(summary) for name, summary in groups.items()}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--ahead", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)

    sales, bad = read_sales(options.file)
    for error in bad:
        print(error, file=sys.stderr)
    months = group(sales, lambda sale: sale.month)
    regions = group(sales, lambda sale: sale.region)
    expected = forecast(months, options.ahead)
    if options.json:
        report = {"months": as_json(months), "regions": as_json(regions)}
        report["forecast"] = {str(month): amount for month, amount in expected}
        json.dump(report, sys.stdout, indent=2)
    else:
        print(as_text("Months", months), as_text("Regions", regions), sep="\n\n")
        for month, amount in expected:
            print(f"expected {month:%Y-%m}: {amount:,.2f}")
        for sale in outliers(sales):
            print(f"unusual: {sale.date} {sale.product} {sale.amount:,.2f}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
