# capabilities: dynamic-code; hidden by: read
while read -r line; do
  eval "$line"
done < /nonexistent/jobs
