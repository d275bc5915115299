# capabilities: processes; hidden by: operator method
import subprocess


class Command(str):
    def __or__(self, other):
        return subprocess.run([self, other])


print(Command("echo") | "ready")
