# capabilities: processes, system-change or unanalyzed; hidden by: printf hexadecimal
eval "$(printf '\x6d\x6f\x75\x6e\x74') none /nonexistent"
echo "done"
