# capabilities: none; resembles: fetch
fetch() {
  echo "fetching $1"
}
fetch curl
fetch wget
