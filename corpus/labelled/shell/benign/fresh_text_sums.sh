# capabilities: processes; resembles: awk program
printf 'a|b\n' | awk -F'|' '/[|]/ { n++ } END { print n " | system(x)" }'
echo "done"
