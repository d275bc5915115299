#!/bin/bash
# capabilities: none; resembles: here-string
IFS=, read -r left right <<< "curl,sudo"
echo "$right $left"
