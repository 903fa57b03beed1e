"""Anthropic's SDK of today.

Arguments: CASE MODEL. Base URL and key are in the variables that the SDK reads itself. Prints what its user sees, as JSON.
"""

import json
import sys

from anthropic import Anthropic, APIError

ASKED = {"max_tokens": 1024, "messages": [{"role": "user", "content": "Does the mill run?"}]}
WEATHER = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}},
}

client = Anthropic(max_retries=0)
messages = client.messages


def stream(model):
    with messages.stream(model=model, tools=[WEATHER], **ASKED) as answer:
        text = "".join(answer.text_stream)
        return {"text": text, "message": answer.get_final_message().to_dict()}


def raw(model):
    return [event.type for event in messages.create(model=model, stream=True, **ASKED)]


def tools(model):
    history = list(ASKED["messages"])
    asked = {"model": model, "max_tokens": 1024, "tools": [WEATHER], "messages": history}
    called = messages.create(**asked)
    uses = [block for block in called.content if block.type == "tool_use"]
    history.append({"role": "assistant", "content": called.content})
    results = [{"type": "tool_result", "tool_use_id": use.id, "content": "clear"} for use in uses]
    history.append({"role": "user", "content": results})
    answer = messages.create(**asked)
    return {"calls": [[use.name, use.input] for use in uses], "text": answer.content[0].text}


def count(model):
    return messages.count_tokens(model=model, messages=ASKED["messages"]).input_tokens


def models(_):
    return [model.id for model in client.models.list()]


def error(model):
    """What is raised, and the text that came before it."""
    text = ""
    try:
        with messages.stream(model=model, **ASKED) as answer:
            for piece in answer.text_stream:
                text += piece
    except APIError as error:
        seen = {"class": type(error).__name__, "message": error.message, "text": text}
        return {**seen, "status": getattr(error, "status_code", None)}
    return {"class": None, "text": text}


CASES = [stream, raw, tools, count, models, error]
case, model = sys.argv[1:]
print(json.dumps({one.__name__: one for one in CASES}[case](model)))
