#!/bin/bash
# capabilities: none; resembles: array
missing=()
for tool in curl nc mount; do missing+=("$tool"); done
echo "${missing[*]}"
