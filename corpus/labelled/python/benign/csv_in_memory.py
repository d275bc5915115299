# capabilities: none; resembles: files
import csv
import io

rows = list(csv.DictReader(io.StringIO("name,os\na,linux\nb,other\n")))
print([row["os"] for row in rows])
