# capabilities: none; resembles: network
scheme=http
host=example.invalid
echo "$scheme://$host/path?x=1"
