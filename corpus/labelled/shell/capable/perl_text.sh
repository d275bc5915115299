# capabilities: dynamic-code, processes; hidden by: another language
count=3
perl -e 'print "x" x 3; system("echo ready")'
echo "$count"
