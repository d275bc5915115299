# capabilities: dynamic-code, network or unanalyzed, processes; hidden by: another language
python3 -c 'import urllib.request as u; u.urlopen("http://example.invalid/")'
echo "done"
