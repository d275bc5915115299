# capabilities: processes, randomness; hidden by: device
head -c 8 /dev/urandom | od -An -tx1
echo "done"
