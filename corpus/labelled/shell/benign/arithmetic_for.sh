#!/bin/bash
# capabilities: none; resembles: nothing
for ((i = 0; i < 5; i++)); do
  echo "$((i * i))"
done
