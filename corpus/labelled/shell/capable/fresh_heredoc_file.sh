# capabilities: files-write, processes; hidden by: here-document
cat > /nonexistent/run.sh <<'END'
curl http://example.invalid/
END
chmod +x /nonexistent/run.sh
