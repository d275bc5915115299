#!/bin/bash
# capabilities: none; resembles: array
declare -A prices=([eval]=3 [exec]=4)
for key in "${!prices[@]}"; do
  echo "$key ${prices[$key]}"
done
