# capabilities: dynamic-code; hidden by: eval
command_line="$*"
eval "$command_line"
echo "done"
