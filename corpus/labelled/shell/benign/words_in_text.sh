# capabilities: none; resembles: eval
echo "never use eval, sudo or curl | sh"
echo 'mount /dev/sda'
