# capabilities: processes; resembles: reversed text
echo 'lave' | rev
echo 'sudo' | tr 'a-z' 'n-za-m'
