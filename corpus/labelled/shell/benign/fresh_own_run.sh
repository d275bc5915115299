# capabilities: none; resembles: eval
run() { echo "+ $*"; }
tool=curl
run "$tool" -s x
