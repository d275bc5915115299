# capabilities: processes; resembles: sed program
echo "one" | sed 's/e/E/; s/one/three/g'
echo "done"
