# capabilities: processes, system-change or unanalyzed; hidden by: globbing of a command path
target=/nonexistent
/bin/moun[t] none "$target"
echo "done"
