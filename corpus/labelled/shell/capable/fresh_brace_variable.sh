# capabilities: network, processes; hidden by: joined variables
p=/usr/bin
t=nc
"${p}/${t}" -z 192.0.2.1 9
