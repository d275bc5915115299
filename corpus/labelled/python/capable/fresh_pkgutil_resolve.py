# capabilities: dynamic-code, processes or unanalyzed; hidden by: pkgutil
import pkgutil

run = pkgutil.resolve_name("os:system")
run("echo ready")
