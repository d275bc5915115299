#!/bin/bash
# capabilities: none; resembles: ANSI quoted text
echo $'tab\there'
IFS=$'\n'
echo "done"
