# capabilities: environment; hidden by: nothing
target="$HOME/notes"
echo "$target"
