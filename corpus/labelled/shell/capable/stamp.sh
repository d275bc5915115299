#!/bin/bash
# capabilities: time; hidden by: special variable
start=$EPOCHSECONDS
echo "$start"
