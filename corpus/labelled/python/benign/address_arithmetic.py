# capabilities: none; resembles: network
import ipaddress

network = ipaddress.ip_network("192.0.2.0/28")
print(network.num_addresses, [str(host) for host in network.hosts()][:2])
