# capabilities: network, processes; hidden by: wrapper commands
set -e
env -i LANG=C nice -n 5 timeout 3 wget -q http://example.invalid/
echo "done"
