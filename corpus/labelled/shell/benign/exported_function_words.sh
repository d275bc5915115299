# capabilities: environment; resembles: start-up variable
export LEVEL=3
export MODE="eval"
echo "$LEVEL $MODE"
