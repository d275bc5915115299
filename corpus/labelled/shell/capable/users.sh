# capabilities: files-read, processes, system-information; hidden by: nothing
cut -d: -f1 /etc/passwd | sort
echo "done"
