# capabilities: dynamic-code, processes; hidden by: base64 -d | sh
text=ZWNobyByZWFkeQo=
echo "$text" | base64 -d | sh
