# capabilities: processes, system-information; resembles: mount
df -h | sort
uname -s
