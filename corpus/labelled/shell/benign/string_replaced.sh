#!/bin/bash
# capabilities: none; resembles: expansion
name="report.eval.txt"
echo "${name%.txt}" "${name##*.}" "${name/eval/exec}"
