# capabilities: processes; resembles: another language
echo "python3 -c" | grep -e '-c'
echo "perl -e"
