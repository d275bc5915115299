# capabilities: dynamic-code, processes; hidden by: translated text
echo 'rpub ernql' | tr 'a-z' 'n-za-m' | bash
echo "done"
