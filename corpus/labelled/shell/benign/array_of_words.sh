#!/bin/bash
# capabilities: none; resembles: array
tools=(curl wget "sudo reboot")
echo "${#tools[@]} ${tools[0]}"
for tool in "${tools[@]}"; do
  echo "$tool"
done
