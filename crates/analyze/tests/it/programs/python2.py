import os, urllib2

print "fetching"
for line in urllib2.urlopen("http://example.org/"):
    os.system("echo " + line)
