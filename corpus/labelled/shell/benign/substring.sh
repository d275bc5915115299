#!/bin/bash
# capabilities: none; resembles: substring expansion
word=systemctl
echo "${word:0:6} ${#word} ${word^^}"
