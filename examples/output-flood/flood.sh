#!/bin/sh
# Writes one line for ever.
exec yes 'the quick brown fox jumps over the lazy dog and never comes to rest'
