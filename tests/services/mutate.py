"""Bundles that differ from a good one in one place, for comparing what verifiers say of them."""
import base64
import binascii
import copy
import json


def leaves(value, path=()):
    """Every string, number and null, with the way to it."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from leaves(child, (*path, index))
    else:
        yield path, value


def containers(value, path=()):
    """Every object and array below the outermost, with the way to it."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        if isinstance(child, (dict, list)):
            yield (*path, key), child
        yield from containers(child, (*path, key))


def replaced(bundle, path, value):
    changed = copy.deepcopy(bundle)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return changed


def removed(bundle, path):
    changed = copy.deepcopy(bundle)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]
    return changed


def decoded(text):
    """The bytes of a string that is base64 and long enough not to be so by chance."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) >= 4 and base64.b64encode(data).decode() == text else None


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def of_text(text):
    """One character of each line."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line:
            middle = len(line) // 2
            other = "0" if line[middle] == "1" else "1"
            yield f"line {number}", "\n".join([*lines[:number], line[:middle] + other + line[middle + 1:], *lines[number + 1:]])
    yield "twice its end", text + text[-1:]
    yield "cut", text[:-1]


def of_leaf(value):
    """What a leaf may become, with a word for each."""
    if not isinstance(value, str):
        yield "another type", "x"
        return
    if (data := decoded(value)) is not None:
        for place, bit in (("first", 0), ("middle", len(data) * 4), ("last", len(data) * 8 - 1)):
            yield f"a bit of its {place} byte", base64.b64encode(flipped(data, bit)).decode()
        yield "a byte more", base64.b64encode(data + b"\0").decode()
        yield "a byte less", base64.b64encode(data[:-1]).decode()
        yield "empty", ""
    elif value.isdecimal():
        for name, number in (("one more", int(value) + 1), ("one less", int(value) - 1), ("zero", 0), ("huge", 2**63 - 1)):
            if str(number) != value:
                yield name, str(number)
    else:
        yield from of_text(value)


def mutations(bundle):
    """(name, text of a bundle) for each place and each way."""
    for path, value in leaves(bundle):
        name = "/".join(map(str, path))
        for how, other in of_leaf(value):
            yield f"{name}: {how}", json.dumps(replaced(bundle, path, other))
        yield f"{name}: gone", json.dumps(removed(bundle, path))
    for path, value in containers(bundle):
        name = "/".join(map(str, path))
        yield f"{name}: gone", json.dumps(removed(bundle, path))
        yield f"{name}: empty", json.dumps(replaced(bundle, path, type(value)()))
        if isinstance(value, list):
            yield f"{name}: its first once more", json.dumps(replaced(bundle, path, [*value, *value[:1]]))
            if len(value) > 1:
                yield f"{name}: reversed", json.dumps(replaced(bundle, path, value[::-1]))
        else:
            yield f"{name}: an unknown member", json.dumps(replaced(bundle, path, {**value, "unknown": 1}))
    text = json.dumps(bundle)
    yield "the text: a member twice", text.replace('{"mediaType": ', '{"mediaType": "", "mediaType": ', 1)
    yield "the text: something after it", text + "{}"
    yield "the text: cut", text[:-1]
