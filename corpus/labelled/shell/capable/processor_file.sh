# capabilities: files-read, system-information; hidden by: redirection
while read -r key _ value; do
  echo "$key $value"
done < /proc/meminfo
