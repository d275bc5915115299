# capabilities: processes, system-information; hidden by: command substitution
kernel=$(uname -r)
who=$(id -un)
echo "$kernel $who"
