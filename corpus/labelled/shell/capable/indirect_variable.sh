#!/bin/bash
# capabilities: network, processes or unanalyzed; hidden by: indirect expansion
real=curl
name=real
${!name} -s http://example.invalid/
