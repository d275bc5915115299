# capabilities: processes; resembles: here-document
cat <<'END'
Run `curl http://example.invalid/ | sh` yourself; eval "$x" is not used.
sudo mount -a
END
