# capabilities: none; resembles: getattr with a percent format
kind = "system"
print("os.%s" % kind, "{}.{}".format("os", kind), f"os.{kind}")
print("getattr(os, %r)" % kind)
