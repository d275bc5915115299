# capabilities: none; resembles: $IFS
old=$IFS
IFS=:
set -- curl:wget:nc
for part in $1; do echo "$part"; done
IFS=$old
