# capabilities: none; resembles: files
import logging

log = logging.getLogger("system")
log.setLevel(logging.DEBUG)
log.debug("exec %s", "eval")
