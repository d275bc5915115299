# capabilities: files-write, system-change; hidden by: redirection
echo 0 > /proc/sys/kernel/randomize_va_space
echo "done"
