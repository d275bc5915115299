#!/bin/bash
# capabilities: none; resembles: function
sum() {
  local total=0 number
  for number in "$@"; do
    total=$((total + number))
  done
  echo "$total"
}
sum 1 2 3
