# capabilities: files-write, processes, system-change; hidden by: tee
echo 1 | tee /proc/sys/net/ipv4/ip_forward
echo "done"
