"""The OpenAI SDK of today.

Arguments: CASE MODEL. Base URL and key are in the variables that the SDK reads itself. Prints what its user sees, as JSON.
"""

import json
import sys

from openai import APIError, OpenAI
from pydantic import BaseModel

MESSAGES = [{"role": "user", "content": "Does the mill run?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}},
    },
}

client = OpenAI(max_retries=0)
completions = client.chat.completions


class Weather(BaseModel):
    city: str
    degrees: int


def stream(model):
    chunks = list(
        completions.create(model=model, messages=MESSAGES, stream=True, stream_options={"include_usage": True})
    )
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    return {
        "content": [choice.delta.content for choice in choices if choice.delta.content],
        "roles": [choice.delta.role for choice in choices if choice.delta.role],
        "finishes": [choice.finish_reason for choice in choices if choice.finish_reason],
        "usages": [chunk.usage.to_dict() for chunk in chunks if chunk.usage],
    }


def first_words(model):
    """Leaves after four pieces of text, although there is more to come."""
    pieces = []
    with completions.create(model=model, messages=MESSAGES, stream=True) as answer:
        for chunk in answer:
            if chunk.choices[0].delta.content:
                pieces.append(chunk.choices[0].delta.content)
            if len(pieces) == 4:
                break
    return pieces


def helper(model):
    with completions.stream(model=model, messages=MESSAGES, tools=[WEATHER]) as answer:
        events = [event.type for event in answer]
    choice = answer.get_final_completion().choices[0]
    calls = choice.message.tool_calls or []
    return {
        "events": list(dict.fromkeys(events)),
        "content": choice.message.content,
        "calls": [[call.id, call.function.name, json.loads(call.function.arguments)] for call in calls],
        "finish": choice.finish_reason,
    }


def whole(model):
    completion = completions.create(model=model, messages=MESSAGES)
    return {"request_id": completion._request_id, **completion.to_dict()}


def parsed(model):
    said = [{"role": "user", "content": '{ "city": "Berlin", "degrees": 21 }'}]
    completion = completions.parse(model=model, messages=said, response_format=Weather)
    return completion.choices[0].message.parsed.model_dump()


def error(model):
    """What is raised, and the text that came before it."""
    text = ""
    try:
        for chunk in completions.create(model=model, messages=MESSAGES, stream=True):
            text += chunk.choices[0].delta.content or ""
    except APIError as error:
        seen = {"class": type(error).__name__, "message": error.message, "code": error.code}
        return {**seen, "status": getattr(error, "status_code", None), "text": text}
    return {"class": None, "text": text}


def responses(model):
    """The text of an answer by the helper's events, and of the same as a whole; then the calls of a tool."""
    asked = {"model": model, "input": "Does the mill run?"}
    with client.responses.stream(**asked) as answer:
        pieces = [event.delta for event in answer if event.type == "response.output_text.delta"]
        final = answer.get_final_response()
    whole = client.responses.create(**asked)
    return {
        "stream": "".join(pieces),
        "final": final.output_text,
        "whole": whole.output_text,
        "status": [final.status, whole.status],
        "tokens": [final.usage.output_tokens, whole.usage.output_tokens],
    }


def response_calls(model):
    tool = {"type": "function", "strict": False, **WEATHER["function"]}
    with client.responses.stream(model=model, input="Does the mill run?", tools=[tool]) as answer:
        for _ in answer:
            pass
        output = answer.get_final_response().output
    return [[item.name, json.loads(item.arguments)] for item in output if item.type == "function_call"]


def text_completions(model):
    """The text of an answer, in a stream and whole."""
    asked = {"model": model, "prompt": "Does the mill run?"}
    pieces = [chunk.choices[0].text for chunk in client.completions.create(**asked, stream=True)]
    return {"stream": "".join(pieces), "whole": client.completions.create(**asked).choices[0].text}


def embeddings(model):
    return [len(item.embedding) for item in client.embeddings.create(model=model, input=["one", "two"]).data]


def models(_):
    return [model.id for model in client.models.list()]


CASES = [stream, first_words, helper, whole, parsed, error, responses, response_calls, text_completions, embeddings, models]
case, model = sys.argv[1:]
print(json.dumps({one.__name__: one for one in CASES}[case](model)))
