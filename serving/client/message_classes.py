"""The classes of the declared messages, made from their declarations in a private descriptor pool."""

import re

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from .protos import ENUMS, MESSAGES

_FIELD = re.compile(r"(?:(repeated|map|oneof (?P<oneof>\w+)) )?(?P<type>[\w.]+) (?P<name>\w+) = (?P<number>\d+)")
_Field = descriptor_pb2.FieldDescriptorProto


def _package(full_name):
    """The lower-case head of a name: `tensorflow.serving` of `tensorflow.serving.ModelSpec`."""
    return ".".join(part for part in full_name.split(".") if part[0].islower())


def _add_field(message, full_name, line):
    """Adds the field that `line` declares to the DescriptorProto `message`."""
    match = _FIELD.fullmatch(line.strip())
    kind = match[1] or ""
    field = message.field.add(name=match["name"], number=int(match["number"]), label=_Field.LABEL_OPTIONAL)
    type_name = match["type"]
    if kind == "map":
        type_name = f"{full_name}.{_add_map_entry(message, match)}"
    if kind in ("repeated", "map"):
        field.label = _Field.LABEL_REPEATED
    if match["oneof"]:
        if not message.oneof_decl:
            message.oneof_decl.add(name=match["oneof"])
        field.oneof_index = 0
    _set_type(field, type_name)


def _add_map_entry(message, match):
    """The nested message {string key, value} by which protobuf spells map<string, value>; returns its name."""
    name = match["name"].title().replace("_", "") + "Entry"
    entry = message.nested_type.add(name=name)
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
    _set_type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), match["type"])
    return name


def _set_type(field, type_name):
    if "." not in type_name:
        field.type = getattr(_Field, f"TYPE_{type_name.upper()}")
        return
    field.type = _Field.TYPE_ENUM if type_name in ENUMS else _Field.TYPE_MESSAGE
    field.type_name = f".{type_name}"


def _files():
    """One FileDescriptorProto per package, in order of dependence."""
    files, messages = {}, {}
    for full_name, fields in MESSAGES.items():
        package = _package(full_name)
        if package not in files:
            name = f"slipway/client/{package}.proto"
            depends = [file.name for file in files.values()]
            files[package] = descriptor_pb2.FileDescriptorProto(
                name=name, package=package, syntax="proto3", dependency=depends
            )
        outer, _, short_name = full_name.rpartition(".")
        home = messages[outer].nested_type if outer in messages else files[package].message_type
        messages[full_name] = home.add(name=short_name)
        for line in fields.strip().splitlines():
            _add_field(messages[full_name], full_name, line)
    for full_name, values in ENUMS.items():
        outer, _, short_name = full_name.rpartition(".")
        enum = (messages[outer] if outer in messages else files[_package(full_name)]).enum_type.add(name=short_name)
        for name, number in values.items():
            enum.value.add(name=name, number=number)
    return files.values()


def _classes():
    """{short name: class} of every declared message."""
    pool = descriptor_pool.DescriptorPool()
    for file in _files():
        pool.AddSerializedFile(file.SerializeToString())
    found = {name: pool.FindMessageTypeByName(name) for name in MESSAGES}
    return {name.rpartition(".")[2]: message_factory.GetMessageClass(found[name]) for name in MESSAGES}


CLASSES = _classes()
