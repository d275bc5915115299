# capabilities: none; resembles: default expansion
level=${1:-curl}
other=${2:-sudo}
echo "$level $other"
