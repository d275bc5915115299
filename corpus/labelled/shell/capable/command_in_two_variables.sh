# capabilities: network, processes; hidden by: joined variables
a=wg
b=et
"$a$b" -q http://example.invalid/
echo "done"
