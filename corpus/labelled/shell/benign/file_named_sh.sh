# capabilities: files-read, processes; resembles: pipe into a shell
cat /nonexistent/run.sh | wc -l
grep -c 'eval' /nonexistent/install.sh
