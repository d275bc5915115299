import base64
import csv
import difflib
import html
import io
import json
import re
import string
import textwrap
import unicodedata
import xml.etree.ElementTree as tree

rows = [{"name": f"row {i}", "value": i * i} for i in range(50)]
text = json.dumps(rows, indent=1)
assert json.loads(text) == rows
out = io.StringIO()
writer = csv.DictWriter(out, ["name", "value"])
writer.writeheader()
writer.writerows(rows)
print(len(text), len(out.getvalue()), list(csv.reader(io.StringIO(out.getvalue())))[3])
print(re.sub(r"(\d+)", lambda found: f"<{found[1]}>", "a1b22c333"))
print(textwrap.fill(string.ascii_letters * 3, 30), html.escape("<a & b>"))
print(base64.b64encode(b"bytes").decode(), unicodedata.name("ß"))
root = tree.fromstring("<a><b c='1'>text</b></a>")
print(root[0].attrib, root[0].text, tree.tostring(root))
print("\n".join(difflib.unified_diff(["a", "b"], ["a", "c"], lineterm="")))
