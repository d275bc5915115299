#!/bin/bash
# capabilities: none; resembles: ANSI quoted text
red=$'\e[31m'
plain=$'\e[0m'
echo "${red}eval${plain}"
