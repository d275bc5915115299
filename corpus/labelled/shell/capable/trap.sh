# capabilities: files-write, processes; hidden by: trap
work=/nonexistent/work
trap 'rm -rf /nonexistent/work' EXIT
echo "$work"
