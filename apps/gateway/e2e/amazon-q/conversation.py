"""A conversation with two rounds of tools, through the OpenAI SDK.

Arguments: stream|whole MODEL. Base URL and key are in the variables that the SDK reads itself. Prints the calls and the last
answer as JSON.
"""

import json
import sys

from openai import OpenAI

way, model = sys.argv[1:]
client = OpenAI(max_retries=0)
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Tells the {name}",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    for name in ["weather", "time"]
]
WISH = (
    '[call weather {"city":"Paris"}] [call weather {"city":"Lima"}] [then call time {"city":"Paris"}] [then say All is told.]'
)


def answer(messages):
    asked = {"model": model, "messages": messages, "tools": TOOLS}
    if way == "whole":
        return client.chat.completions.create(**asked).choices[0]
    with client.chat.completions.stream(**asked) as stream:
        for _ in stream:
            pass
    return stream.get_final_completion().choices[0]


messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": WISH}]
calls = []
for _ in range(5):
    choice = answer(messages)
    messages.append(choice.message.to_dict())
    if choice.finish_reason != "tool_calls":
        break
    for call in choice.message.tool_calls:
        arguments = json.loads(call.function.arguments)
        calls.append([call.function.name, arguments])
        messages.append({"role": "tool", "tool_call_id": call.id, "content": f"fine in {arguments['city']}"})
print(json.dumps({"calls": calls, "text": choice.message.content, "finish": choice.finish_reason}))
