"""Options as Python has them, in the words of the command line. Which there are, and what they mean, the core knows."""

import difflib
import os
from collections.abc import KeysView, Mapping, Set, ValuesView

from penstock import _penstock
from penstock._errors import ConfigurationError

# Of options that take one of two words, what False and True are.
_SWITCHES = {"header": ("no", "yes"), "device_cut": ("off", "on")}
_SIZES = {"memory", "prefetch", "slot_size", "max_record_size", "size"}
# Those that the core knows by name; it gets the others as they are on the command line.
_FIELDS = {"format", "columns", "label", "weight", "qid", "normalize", "schema", "on_error", "features", "device", "index"}


def list_item(text):
    """`text` as an item of a list on the command line: in quotes where it has to be."""
    is_plain = text and text == text.strip() and not any(byte in text for byte in ',"')
    return text if is_plain else '"' + text.replace('"', '""') + '"'


def _item(value):
    return list_item(word(value)) if isinstance(value, (str, bytes, os.PathLike)) else word(value)


def text_of(value):
    """A path or a text as str. What comes behind a NUL byte would be lost on its way to the system."""
    text = os.fsdecode(value)
    if "\0" in text:
        raise ConfigurationError(f"a NUL byte in {text!r}", "Neither files nor options have one.")
    return text


def _plain(value):
    """NumPy's truth values, and arrays of any package, as Python's own."""
    is_numpys = type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_", "ndarray")
    return value.tolist() if is_numpys or getattr(value, "ndim", 0) else value


def word(value):
    """A value of an option as a word of the command line."""
    value = _plain(value)
    if value is True:
        return "true"
    if isinstance(value, (str, bytes, os.PathLike)):
        return text_of(value)
    if isinstance(value, Mapping):
        return ",".join(f"{_item(name)}={number}" for name, number in value.items())
    if isinstance(value, (KeysView, ValuesView)):  # these have an order
        value = list(value)
    if isinstance(value, Set):
        value = sorted(value, key=word)
    if isinstance(value, (list, tuple, range)):
        return ",".join(_item(item) for item in value)
    if hasattr(value, "__index__"):
        return str(value.__index__())
    return str(value)


def pairs(options):
    """(name, word) of the options that are given: None is not, nor False of a flag."""
    found = []
    for name, value in options.items():
        value = _plain(value)
        if isinstance(value, bool) and name in _SWITCHES:
            value = _SWITCHES[name][value]
        if name == "columns" and hasattr(value, "__len__") and not len(value):
            raise ConfigurationError("columns: the list is empty", "None is all columns.")
        if value is not None and value is not False:
            found.append((name, word(value)))
    return found


_known: dict[str, set[str]] = {}


def _keywords(verb):
    """Those that are options of a command."""
    if verb not in _known:
        names = _penstock.option_names(verb)
        _known[verb] = {"format", *(name.replace("-", "_") for name in names)} - {"from"}
    return _known[verb]


def check_names(verb, options, own=()):
    """Raises for keywords that nobody knows, whatever their values are. `own`: those that the function has itself."""
    for name in options:
        if name in _keywords(verb):
            continue
        near = difflib.get_close_matches(name, [*own, *_keywords(verb)], 1, 0.7)
        hint = f"Did you mean {near[0]}?" if near else "docs/cli.md lists the options; here they have _ for -."
        raise ConfigurationError(f"there is no option {name}", hint)


def path_list(paths):
    """One path, or several, as a list of str."""
    if isinstance(paths, (str, bytes, os.PathLike)):
        paths = [paths]
    return [text_of(path) for path in paths]


def size_of(value, name):
    """Bytes: an int, or a text such as 64MiB."""
    if not isinstance(value, str):
        return value
    try:
        return _penstock.parse_size(value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error.message}", error.hint) from None


def of_input(paths, numbers, options):
    """What the core takes: `numbers` and the `options` that it has names for, and all others in words."""
    core = {"paths": path_list(paths)}
    for name, value in numbers.items():
        if value is not None:
            core[name] = size_of(value, name) if name in _SIZES else value
    more = []
    for name, value in pairs(options):
        if name in _FIELDS:
            core[name] = value
        else:
            more.append((name.replace("_", "-"), value))
    core["more"] = more
    return core


def command_words(verb, inputs, options):
    """The command line of a verb."""
    check_names(verb, options)
    renamed = {("from" if name == "format" else name.replace("_", "-")): value for name, value in pairs(options)}
    return [verb, *(f"--{name}={value}" for name, value in renamed.items()), "--", *path_list(inputs)]
