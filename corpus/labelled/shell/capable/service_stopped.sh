# capabilities: processes, system-change; hidden by: path
/usr/bin/systemctl stop example.service
echo "done"
