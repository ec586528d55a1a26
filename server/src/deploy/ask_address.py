"""Asks Modal where the endpoint of the deployed app is, and prints it as one line of JSON."""

import json
import os

import modal

function = modal.Function.from_name(os.environ["SAFELIGHT_APP"], os.environ["SAFELIGHT_ENDPOINT"])
print(json.dumps({"url": function.get_web_url()}))
