# capabilities: files-write, network, processes; hidden by: wrapper commands
set -e
nohup scp -q user@example.invalid:/nonexistent/a /nonexistent/b &
echo "done"
