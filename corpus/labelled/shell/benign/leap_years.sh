# capabilities: none; resembles: nothing
leap() {
  year=$1
  if [ $((year % 4)) -eq 0 ] && [ $((year % 100)) -ne 0 ] || [ $((year % 400)) -eq 0 ]; then
    echo "$year is one"
  fi
}
leap 2024
