# capabilities: dynamic-code, processes; hidden by: base64 in eval
blob='Y3VybCBodHRwOi8vZXhhbXBsZS5pbnZhbGlkLwo='
eval "$(echo "$blob" | base64 --decode)"
