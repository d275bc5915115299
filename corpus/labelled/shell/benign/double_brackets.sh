#!/bin/bash
# capabilities: none; resembles: globbing of a command path
name=curl.sh
if [[ $name == cu?l* || $name =~ ^wget ]]; then
  echo "a tool"
fi
