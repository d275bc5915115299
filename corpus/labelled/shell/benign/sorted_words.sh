# capabilities: processes; resembles: pipe into a shell
printf '%s\n' sh bash curl | sort -u | head -n 2
echo "done"
