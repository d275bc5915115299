#!/bin/sh
# Summarises a web server's access log read from standard input: the busiest paths, the clients
# with the most errors, and the bytes served by status class.
set -eu

awk '{ print $1, $6, $7, $9, $10 }' | tr -d '"' > fields.txt

echo "requests: $(wc -l < fields.txt | tr -d ' ')"

echo "busiest paths:"
awk '{ print $3 }' fields.txt | sed 's/?.*//' | sort | uniq -c | sort -k1,1nr -k2 | head -n 5 |
    awk '{ printf "  %4d %s\n", $1, $2 }'

echo "clients with errors:"
awk '$4 >= 400 { print $1 }' fields.txt | sort | uniq -c | sort -k1,1nr -k2 | head -n 3 |
    awk '{ printf "  %4d %s\n", $1, $2 }'

echo "bytes by status class:"
awk '{ class = int($4 / 100) "xx"; bytes[class] += $5 }
     END { for (class in bytes) printf "  %s %d\n", class, bytes[class] }' fields.txt | sort
