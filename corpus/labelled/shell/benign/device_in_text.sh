# capabilities: none; resembles: /dev/tcp
echo "the path of /dev/tcp is special"
name="see /dev/udp"
echo "$name"
