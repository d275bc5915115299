// Reads orders as JSON from standard input and writes one summary per customer: what they spent,
// what they bought most, and how long they had to wait for it.
"use strict";

function readAll(stream) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    stream.on("error", reject);
  });
}

function daysBetween(from, to) {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}

function favourite(orders) {
  const counts = new Map();
  for (const { lines } of orders) {
    for (const { sku, quantity } of lines) {
      counts.set(sku, (counts.get(sku) ?? 0) + quantity);
    }
  }
  const ranked = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  return ranked[0]?.[0] ?? null;
}

function summarise(customer, orders) {
  const cents = orders
    .flatMap((order) => order.lines)
    .reduce((sum, line) => sum + line.quantity * line.priceCents, 0);
  const waits = orders
    .filter((order) => order.shipped)
    .map((order) => daysBetween(order.placed, order.shipped));
  return {
    customer,
    orders: orders.length,
    spent: (cents / 100).toFixed(2),
    favourite: favourite(orders),
    longestWaitDays: waits.length ? Math.max(...waits) : null,
    open: orders.filter((order) => !order.shipped).map((order) => order.id),
  };
}

async function main() {
  const { orders } = JSON.parse(await readAll(process.stdin));
  const summaries = [...groupBy(orders, (order) => order.customer)]
    .map(([customer, own]) => summarise(customer, own))
    .sort((a, b) => Number(b.spent) - Number(a.spent));
  console.log(JSON.stringify(summaries, null, 2));
}

main().catch((error) => {
  console.error(`transform: ${error.message}`);
  process.exitCode = 1;
});
