"""The OpenAI SDK before its version 1.

Arguments: CASE MODEL. Base URL and key are in the variables that the SDK reads itself. Prints what its user sees, as JSON.
"""

import json
import sys

import openai

MESSAGES = [{"role": "user", "content": "Does the mill run?"}]
WEATHER = {
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}},
}


def stream(model):
    deltas = []
    finishes = []
    for chunk in openai.ChatCompletion.create(model=model, messages=MESSAGES, stream=True):
        deltas.append(chunk.choices[0].delta)
        finishes.append(chunk.choices[0].finish_reason)
    return {
        "content": [delta["content"] for delta in deltas if delta.get("content")],
        "roles": [delta["role"] for delta in deltas if "role" in delta],
        "finishes": [finish for finish in finishes if finish],
    }


def functions(model):
    name = arguments = ""
    for chunk in openai.ChatCompletion.create(model=model, messages=MESSAGES, stream=True, functions=[WEATHER]):
        call = chunk.choices[0].delta.get("function_call", {})
        name += call.get("name", "")
        arguments += call.get("arguments", "")
        finish = chunk.choices[0].finish_reason
    return {"name": name, "arguments": json.loads(arguments), "finish": finish}


def whole(model):
    return openai.ChatCompletion.create(model=model, messages=MESSAGES).to_dict_recursive()


def error(model):
    """What is raised, and the text that came before it."""
    text = ""
    try:
        for chunk in openai.ChatCompletion.create(model=model, messages=MESSAGES, stream=True):
            text += chunk.choices[0].delta.get("content", "")
    except openai.error.OpenAIError as error:
        return {"class": type(error).__name__, "message": error.user_message, "text": text}
    return {"class": None, "text": text}


def completions(model):
    """The text of an answer, in a stream and whole."""
    pieces = [
        chunk.choices[0].text
        for chunk in openai.Completion.create(model=model, prompt="Does the mill run?", stream=True)
    ]
    whole = openai.Completion.create(model=model, prompt="Does the mill run?")
    return {"stream": "".join(pieces), "whole": whole.choices[0].text}


def models(_):
    return [model.id for model in openai.Model.list().data]


CASES = [stream, functions, whole, error, completions, models]
case, model = sys.argv[1:]
print(json.dumps({one.__name__: one for one in CASES}[case](model)))
