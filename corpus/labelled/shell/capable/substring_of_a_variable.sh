#!/bin/bash
# capabilities: network, processes or unanalyzed; hidden by: substring expansion
letters=xcurlx
${letters:1:4} -s http://example.invalid/
