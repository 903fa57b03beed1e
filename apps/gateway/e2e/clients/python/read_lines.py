"""A stream read by hand, line by line.

Arguments: requests|httpx URL KEY MODEL [COUNT]. Prints the pieces of text as JSON; with COUNT it leaves after so many.
"""

import json
import sys

import httpx
import requests

library, url, key, model, *count = sys.argv[1:]
limit = int(count[0]) if count else None
body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Does the mill run?"}]}
headers = {"Authorization": f"Bearer {key}"}


def pieces_of(lines):
    pieces = []
    for line in lines:
        if not line:
            continue
        if not line.startswith("data: "):
            raise ValueError(f"no data: {line!r}")
        if line[6:] == "[DONE]":
            return pieces
        pieces.append(json.loads(line[6:])["choices"][0]["delta"].get("content") or "")
        if limit is not None and len(pieces) == limit:
            return pieces
    raise ValueError("no [DONE]")


if library == "requests":
    with requests.post(url, json=body, headers=headers, stream=True, timeout=20) as response:
        response.raise_for_status()
        pieces = pieces_of(response.iter_lines(decode_unicode=True))
else:
    with httpx.stream("POST", url, json=body, headers=headers, timeout=20) as response:
        response.raise_for_status()
        pieces = pieces_of(response.iter_lines())
print(json.dumps(pieces))
