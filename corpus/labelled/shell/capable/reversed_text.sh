# capabilities: dynamic-code, processes; hidden by: reversed text
echo 'ydaer ohce' | rev | sh
echo "done"
