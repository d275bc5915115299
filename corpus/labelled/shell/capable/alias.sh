#!/bin/bash
# capabilities: network or unanalyzed, processes; hidden by: alias
shopt -s expand_aliases
alias ll='curl -s http://example.invalid/'
ll
