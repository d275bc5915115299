#!/usr/bin/env python3
"""Summarise sales from CSV files: totals per region, month and product, with outliers."""

from __future__ import annotations

import argparse
import collections
import csv
import dataclasses
import datetime as dt
import json
import math
import statistics
import sys
from pathlib import Path
from typing import Iterable, Iterator

MAX_ROWS = 1_000_000
REGIONS = ("north", "south", "east", "west")
DATE_FORMATS = ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"]


@dataclasses.dataclass(frozen=True)
class Sale:
    """One row of the input."""

    day: dt.date
    region: str
    product: str
    units: int
    price: float

    @property
    def amount(self) -> float:
        return self.units * self.price

    @property
    def month(self) -> str:
        return f"{self.day.year:04d}-{self.day.month:02d}"


class BadRow(ValueError):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


def parse_day(text: str) -> dt.date:
    for pattern in DATE_FORMATS:
        try:
            return dt.datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    raise ValueError(f"no date: {text!r}")


def read_sales(path: Path) -> Iterator[Sale]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        for number, row in enumerate(reader, start=2):
            if number > MAX_ROWS:
                raise BadRow(number, "too many rows")
            try:
                sale = Sale(
                    day=parse_day(row["day"].strip()),
                    region=row["region"].strip().lower(),
                    product=row["product"].strip(),
                    units=int(row["units"]),
                    price=float(row["price"].replace(",", ".")),
                )
            except (KeyError, ValueError, AttributeError) as error:
                raise BadRow(number, str(error)) from error
            if sale.region not in REGIONS:
                raise BadRow(number, f"unknown region {sale.region}")
            yield sale


def totals(sales: Iterable[Sale]) -> dict[str, dict[str, float]]:
    result: dict[str, dict[str, float]] = {
        "region": collections.defaultdict(float),
        "month": collections.defaultdict(float),
        "product": collections.defaultdict(float),
    }
    for sale in sales:
        result["region"][sale.region] += sale.amount
        result["month"][sale.month] += sale.amount
        result["product"][sale.product] += sale.amount
    return {key: dict(sorted(value.items())) for key, value in result.items()}


def outliers(sales: list[Sale], factor: float = 3.0) -> list[Sale]:
    if len(sales) < 3:
        return []
    amounts = [sale.amount for sale in sales]
    mean = statistics.fmean(amounts)
    deviation = statistics.pstdev(amounts)
    if math.isclose(deviation, 0.0):
        return []
    return [s for s in sales if abs(s.amount - mean) > factor * deviation]


def moving_average(values: list[float], width: int) -> list[float]:
    if width <= 0:
        raise ValueError("width must be positive")
    averages = []
    window: collections.deque[float] = collections.deque(maxlen=width)
    for value in values:
        window.append(value)
        averages.append(sum(window) / len(window))
    return averages


def histogram(values: list[float], bins: int = 10) -> list[tuple[float, int]]:
    if not values:
        return []
    low, high = min(values), max(values)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        index = min(int((value - low) / width), bins - 1)
        counts[index] += 1
    return [(low + i * width, count) for i, count in enumerate(counts)]


def bar(value: float, largest: float, width: int = 40) -> str:
    filled = round(width * value / largest) if largest else 0
    return "#" * filled + "." * (width - filled)


def print_table(title: str, rows: dict[str, float]) -> None:
    print(f"\n{title}")
    print("-" * len(title))
    largest = max(rows.values(), default=0.0)
    for name, amount in rows.items():
        print(f"{name:<20} {amount:>12.2f} {bar(amount, largest)}")


def correlation(left: list[float], right: list[float]) -> float:
    if len(left) != len(right) or len(left) < 2:
        return float("nan")
    left_mean = statistics.fmean(left)
    right_mean = statistics.fmean(right)
    top = sum((a - left_mean) * (b - right_mean) for a, b in zip(left, right))
    bottom = math.sqrt(
        sum((a - left_mean) ** 2 for a in left) * sum((b - right_mean) ** 2 for b in right)
    )
    return top / bottom if bottom else float("nan")


def as_json(report: dict, sales: list[Sale]) -> str:
    document = {
        "totals": report,
        "count": len(sales),
        "outliers": [dataclasses.asdict(sale) for sale in outliers(sales)],
        "histogram": histogram([sale.amount for sale in sales]),
    }
    return json.dumps(document, indent=2, default=str)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="CSV files to read")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--factor", type=float, default=3.0, help="outlier threshold")
    parser.add_argument("--window", type=int, default=3, help="moving average width")
    parser.add_argument("--skip-bad", action="store_true", help="skip rows that do not parse")
    return parser.parse_args(argv)


def main() -> int:
    options = arguments()
    sales: list[Sale] = []
    for path in options.files:
        try:
            sales.extend(read_sales(path))
        except OSError as error:
            print(f"cannot read {path}: {error}", file=sys.stderr)
            return 1
        except BadRow as error:
            if not options.skip_bad:
                print(f"{path}: {error}", file=sys.stderr)
                return 2
    report = totals(sales)
    if options.json:
        print(as_json(report, sales))
        return 0
    for title, rows in report.items():
        print_table(f"Total per {title}", rows)
    months = list(report["month"].values())
    for month, average in zip(report["month"], moving_average(months, options.window)):
        print(f"{month}: {average:.2f}")
    units = [float(sale.units) for sale in sales]
    prices = [sale.price for sale in sales]
    print(f"correlation of units and price: {correlation(units, prices):.3f}")
    for sale in outliers(sales, options.factor):
        print(f"outlier: {sale.day} {sale.region} {sale.product} {sale.amount:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
