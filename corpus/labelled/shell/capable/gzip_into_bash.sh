# capabilities: dynamic-code, processes; hidden by: compressed text
dump=/nonexistent/stage.gz
gzip -dc "$dump" | bash -s -- quiet
