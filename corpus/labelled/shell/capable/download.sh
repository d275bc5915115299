# capabilities: files-write, network, processes; hidden by: nothing
url=http://example.invalid/data.csv
curl -fsS -o /nonexistent/data.csv "$url"
