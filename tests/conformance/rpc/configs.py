"""models.config as text, the form that every server reads."""


def entry(name, base_path, *fields, platform="tensorflow"):
    """One config of a model_config_list; `fields` in the text format; platform None leaves it out."""
    given = [f'model_platform: "{platform}"'] if platform else []
    return f'config {{ name: "{name}" base_path: "{base_path}" {" ".join([*given, *fields])} }}'


def config_text(*entries):
    """A ModelServerConfig of these entries."""
    return "model_config_list {\n" + "\n".join(entries) + "\n}\n"


def specific(*numbers):
    """The policy that serves these versions."""
    return f"model_version_policy {{ specific {{ {' '.join(f'versions: {number}' for number in numbers)} }} }}"


def latest(count):
    """The policy that serves the newest versions."""
    return f"model_version_policy {{ latest {{ num_versions: {count} }} }}"


ALL = "model_version_policy { all {} }"


def label(name, number):
    """A label of a version."""
    return f'version_labels {{ key: "{name}" value: {number} }}'


def replace(path, *entries):
    """Writes a models.config in one step, so that no server reads half of it."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(config_text(*entries))
    unfinished.rename(path)
    return path


def reload_request(*entries):
    """The ReloadConfigRequest of these entries."""
    from google.protobuf import text_format
    from tensorflow_serving.apis import model_management_pb2

    request = model_management_pb2.ReloadConfigRequest()
    text_format.Parse(config_text(*entries), request.config)
    return request
