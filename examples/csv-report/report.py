"""Reads sales rows from a CSV file and prints a report: totals by region, by product and by month.

Usage: report.py FILE
"""

import csv
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

COLUMNS = ("date", "region", "product", "units", "unit_price")


@dataclass(frozen=True)
class Sale:
    day: date
    region: str
    product: str
    units: int
    revenue: Decimal


@dataclass
class Total:
    units: int = 0
    revenue: Decimal = Decimal(0)
    best: Decimal = Decimal(0)

    def add(self, sale: Sale) -> None:
        self.units += sale.units
        self.revenue += sale.revenue
        self.best = max(self.best, sale.revenue)


@dataclass
class Report:
    regions: dict = field(default_factory=lambda: defaultdict(Total))
    products: dict = field(default_factory=lambda: defaultdict(Total))
    months: dict = field(default_factory=lambda: defaultdict(Total))
    overall: Total = field(default_factory=Total)

    def add(self, sale: Sale) -> None:
        self.regions[sale.region].add(sale)
        self.products[sale.product].add(sale)
        self.months[sale.day.strftime("%Y-%m")].add(sale)
        self.overall.add(sale)


def parse(row: dict) -> Sale:
    """Turns one row into a sale; raises ValueError with the column that is wrong."""
    missing = [column for column in COLUMNS if not row.get(column)]
    if missing:
        raise ValueError(f"no {missing[0]}")
    try:
        units = int(row["units"])
        price = Decimal(row["unit_price"])
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"not a number: {error}") from error
    if units < 0:
        raise ValueError("negative units")
    return Sale(
        day=date.fromisoformat(row["date"]),
        region=row["region"].strip(),
        product=row["product"].strip(),
        units=units,
        revenue=units * price,
    )


def read(path: str) -> tuple[Report, list[str]]:
    report = Report()
    problems = []
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                report.add(parse(row))
            except ValueError as error:
                problems.append(f"row skipped: {error}")
    return report, problems


def money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def table(title: str, totals: dict, overall: Total, by_revenue: bool = True) -> list[str]:
    """Lays out one table; widths follow the longest cell of each column."""
    rows = [("", "units", "revenue", "share", "best sale")]
    names = sorted(totals, key=lambda name: -totals[name].revenue) if by_revenue else sorted(totals)
    for name in names:
        total = totals[name]
        share = 100 * total.revenue / overall.revenue if overall.revenue else Decimal(0)
        rows.append((name, str(total.units), money(total.revenue), f"{share:.1f} %", money(total.best)))
    rows.append(("total", str(overall.units), money(overall.revenue), "", money(overall.best)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [title, "-" * len(title)]
    for name, *cells in rows:
        right = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:]))
        lines.append(f"{name.ljust(widths[0])}  {right}".rstrip())
    return lines + [""]


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: report.py FILE", file=sys.stderr)
        return 2
    report, problems = read(sys.argv[1])
    lines = table("By region", report.regions, report.overall)
    lines += table("By product", report.products, report.overall)
    lines += table("By month", report.months, report.overall, by_revenue=False)
    print("\n".join(lines))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
