# capabilities: none; resembles: here-document
read -r first <<END
curl sudo eval
END
echo "$first"
