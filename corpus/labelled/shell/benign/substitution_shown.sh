# capabilities: processes; resembles: command substitution
lines=$(printf 'a\nb\n' | wc -l)
echo "there are $lines lines"
