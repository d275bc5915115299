#!/bin/bash
# capabilities: none; resembles: nothing
PS3="pick: "
select tool in curl wget stop; do
  [ "$tool" = stop ] && break
  echo "$tool"
done
