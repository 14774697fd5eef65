"""Flags: one per field, help without TensorFlow, and every slip in a flagfile an error with file and line."""

import dataclasses
import os
import pathlib

import pytest

from trainer import flagfile, flags
from trainer.config import GROUPS, Config, UserError

FLAGFILES = pathlib.Path(flags.__file__).parent / "flagfiles"
FIELDS = [field for group in GROUPS.values() for field in dataclasses.fields(group)]
RUNNABLE = ["--workdir=w", "--data=pip:movie-snippets"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, *lines):
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"--flagfile={name}"


def refusal(*arguments):
    with pytest.raises(UserError) as caught:
        flags.parse([*RUNNABLE, *arguments])
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_without_flags_every_field_has_its_default():
    assert flags.parse(RUNNABLE) == Config.from_flat({"workdir": "w", "data": "pip:movie-snippets"})


def other_value(field):
    if field.metadata["choices"]:
        return field.metadata["choices"][-1]
    return {bool: not field.default, int: field.default + 1 if field.type is int else 0, str: "some text"}.get(
        field.type, 0.25
    )


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_has_a_flag_of_its_type(field):
    value = other_value(field)
    values = flags.define()
    values[field.name].parse(str(value))
    assert values[field.name].value == value and type(values[field.name].value) is field.type
    assert (
        values[field.name].help.startswith(field.metadata["help"][:20])
        or field.metadata["help"] in values[field.name].help
    )


def test_the_forms_of_a_flag():
    config = flags.parse([*RUNNABLE, "--noexport", "--batch_size", "8", "-epochs=3", "--overwrite", "--json=false"])
    assert config.export.export is False and config.run.overwrite is True and config.run.json is False
    assert config.input.batch_size == 8 and config.optimizer.epochs == 3


def test_two_parses_share_nothing():
    assert flags.parse([*RUNNABLE, "--batch_size=8"]).input.batch_size == 8
    assert flags.parse(RUNNABLE).input.batch_size == Config().input.batch_size


def test_home_is_opened_where_no_shell_did_it(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert flags.parse([*RUNNABLE, "--workdir=~/runs/a"]).run.workdir == "/home/somebody/runs/a"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--lerning_rate=1e-5"], "unknown flag --lerning_rate; did you mean --learning_rate?"),
        (["--batch-size=8"], "did you mean --batch_size?"),
        (["--noexprt"], "did you mean --noexport?"),
        (["--zzzzzz=1"], "unknown flag --zzzzzz; see --help"),
        (["--batch_size=many"], "--batch_size=many: allowed is a whole number"),
        (["--batch_size=3.5"], "a whole number"),
        (["--learning_rate=fast"], "--learning_rate=fast: allowed is a number"),
        (["--export=maybe"], "--export=maybe: allowed is true or false"),
        (["--precision=bfloat"], "did you mean bfloat16?"),
        (["--noexport=true"], "--noexport takes no value: write --export=true"),
        (["--export", "false"], "unexpected argument 'false': write --export=false"),
        (["batch_size=8"], "did you mean --batch_size=8?"),
        (["a/my.flags"], "did you mean --flagfile=a/my.flags?"),
        (["train"], "unexpected argument 'train'"),
        (["--", "--batch_size=8"], "unexpected argument '--'"),
        (["--batch_size"], "--batch_size needs a value"),
        (["--text_column", "--label_column=y"], "--text_column needs a value"),
        (["--flagfile"], "--flagfile needs a value"),
        (["--flagfile="], "--flagfile is empty"),
        (["--text_column=a\nb"], "line breaks are not allowed"),
        (["--text_column=\udcff"], "not UTF-8"),
        (["--learning_rate=nan"], "--learning_rate=nan"),
    ],
)
def test_slips_on_the_command_line(arguments, said):
    assert said in refusal(*arguments)


@pytest.mark.parametrize(
    "line, said",
    [
        ("batch_size=32", "'batch_size=32' does not begin with --; did you mean --batch_size=32?"),
        ("batch_size 32", "did you mean --batch_size 32?"),
        ("just words", "does not begin with --; comments begin with #"),
        ('"--batch_size=32"', "did you mean --batch_size=32?"),
        ("--batch_size=32 # half of it", "a comment after a value becomes part of it: write --batch_size=32 and"),
        ("--batch_size=32\t// half", "a comment after a value"),
        ("--text_column=title # the headline", "write --text_column=title and"),
        ("--overwrite # anew", "put the comment on a line of its own"),
        ('--text_column="title"', "quotes become part of the value: write --text_column=title"),
        ("--text_column='title'", "quotes become part of the value"),
        ("--text_column=“title”", "quotes become part of the value"),
        ("--batch_size= 32", "white space round the value: write --batch_size=32"),
        ("--batch_size 32", "write --batch_size=32"),
        ("--batch_size = 32", "without spaces"),
        ("--batch_size", "--batch_size needs a value"),
        ("--flagfile other.flags", "write --flagfile=other.flags"),
        ("--flagfile=other.flags", "no such file here or beside"),
        ("--flagfile=", "--flagfile is empty"),
        ("--lerning_rate=1", "unknown flag --lerning_rate; did you mean --learning_rate?"),
        ("--epochs=two", "--epochs=two: allowed is a whole number"),
        ("--epochs=", "--epochs=: allowed is a whole number"),
        ("--schedule=linaer", "did you mean linear?"),
        ("--", "unknown flag"),
    ],
)
def test_slips_in_a_flagfile_name_file_and_line(line, said):
    message = refusal(write("my.flags", "# a comment", "", line))
    assert message.startswith("my.flags:3: ") and said in message


def test_values_that_look_like_slips_but_are_none():
    given = write(
        "my.flags",
        "  # indented comment",
        "// another",
        "   ",
        "--text_column=#1 String",
        "--label_column=a'b",
        "--data=",
    )
    config = flags.parse([given, *RUNNABLE])
    assert config.data.text_column == "#1 String" and config.data.label_column == "a'b"


@pytest.mark.parametrize("ending", ["\r\n", "\n", ""])
def test_line_ends_and_byte_order_mark_do_not_matter(ending):
    pathlib.Path("my.flags").write_bytes(b"\xef\xbb\xbf--epochs=3\r\n--text_column=caf\xc3\xa9" + ending.encode())
    config = flags.parse([*RUNNABLE, "--flagfile=my.flags"])
    assert config.optimizer.epochs == 3 and config.data.text_column == "café"


def test_not_utf8_names_the_line():
    pathlib.Path("my.flags").write_bytes(b"--epochs=3\n\n--text_column=caf\xe9\n")
    assert refusal("--flagfile=my.flags").startswith("my.flags:3: not UTF-8")


def test_the_same_flag_twice_in_one_file():
    assert refusal(write("my.flags", "--epochs=3", "#", "--epochs=4")) == (
        "my.flags:3: --epochs=4 again: line 1 says --epochs=3; keep one"
    )
    assert "again: line 1" in refusal(write("my.flags", "--export", "--noexport"))
    assert flags.parse([*RUNNABLE, write("my.flags", "--learning_rate=5e-5", "--learning_rate=0.00005")])


def test_an_included_file_and_the_command_line_may_be_overridden():
    write("base.flags", "--epochs=3", "--batch_size=8")
    given = write("my.flags", "--flagfile=base.flags", "--epochs=4")
    config = flags.parse([*RUNNABLE, given, "--batch_size=16"])
    assert config.optimizer.epochs == 4 and config.input.batch_size == 16
    assert flags.parse([*RUNNABLE, "--epochs=9", given]).optimizer.epochs == 4  # what stands later wins


def test_the_same_file_may_be_included_twice_but_not_in_a_circle():
    write("base.flags", "--epochs=3")
    write("a.flags", "--flagfile=base.flags")
    assert flags.parse([*RUNNABLE, "--flagfile=a.flags", "--flagfile=base.flags"]).optimizer.epochs == 3
    write("a.flags", "--flagfile=b.flags")
    assert refusal(write("b.flags", "#", "--flagfile=a.flags")).startswith(
        "a.flags:1: --flagfile=b.flags: the file incl"
    )


def test_an_included_file_is_sought_here_first_then_beside(capsys):
    write("folder/base.flags", "--epochs=3")
    given = write("folder/my.flags", "--flagfile=base.flags")
    assert flags.parse([*RUNNABLE, given]).optimizer.epochs == 3
    assert (
        "folder/my.flags:1: base.flags is not in the current folder; taking folder/base.flags"
        in capsys.readouterr().err
    )
    write("base.flags", "--epochs=5")
    assert flags.parse([*RUNNABLE, given]).optimizer.epochs == 5
    assert capsys.readouterr().err == ""


def test_a_mistake_in_an_included_file_names_that_file():
    write("base.flags", "", "--epoch=3")
    assert refusal(write("my.flags", "--flagfile=base.flags")).startswith("base.flags:2: unknown flag --epoch;")


def test_missing_flagfile_names_the_nearest_and_a_folder_is_none():
    write("quickstart.flags", "--epochs=3")
    assert "did you mean quickstart.flags?" in refusal("--flagfile=quikstart.flags")
    shipped = os.path.relpath(FLAGFILES / "sst2.flags")
    assert f"no such file; did you mean {shipped}?" in refusal("--flagfile=sst2")
    assert "no such file; the current folder is" in refusal("--flagfile=nowhere/zzz")
    assert "this is a folder" in refusal("--flagfile=.")


@pytest.mark.parametrize("wanted", ["--help", "--helpfull", "-h", "--helpshort"])
def test_help_lists_every_flag_with_default_choices_and_group(wanted, capsys):
    with pytest.raises(SystemExit) as caught:
        flags.parse(["--nonsense", wanted])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for group, settings in GROUPS.items():
        block = text[text.index(f"\n{group}:\n") :]
        for field in dataclasses.fields(settings):
            line = block[block.index(f"\n  --{field.name}=") :].partition(")\n")[0] + ")"
            assert all(choice in line for choice in field.metadata["choices"]) and line.count("--") == 1
            assert f"(default: {flagfile.exact(field.default, field.type) or 'empty'})" in line
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"learning_rate": 0.1 + 0.2, "weight_decay": 1e-300, "checkpoint_minutes": 1 / 3},
        {"export": False, "overwrite": True, "dropout": 0},
        {"text_column": "issue #3 ", "label_column": ' "quoted" ', "class_weights": "a=1,b c=2", "model_name": ""},
        {"text_column": "--label_column=x", "text_pair_column": "# head", "label_column": "タイトル\u2028\x0b"},
    ],
)
def test_what_is_rendered_replays_exactly(values):
    config = Config.from_flat({"workdir": "w", "data": "pip:movie-snippets", **values})
    pathlib.Path("flags.txt").write_text(flags.render(config), encoding="utf-8")
    again = flags.parse(["--flagfile=flags.txt"])
    assert again == config
    assert flags.render(again) == flags.render(config)
    assert [line.partition("=")[0][2:] for line in flags.render(config).splitlines() if line[:2] == "--"] == [
        field.name for field in FIELDS
    ]


def test_an_edited_flags_txt_is_still_checked():
    text = flags.render(Config.from_flat({"workdir": "w", "data": "pip:movie-snippets"}))
    pathlib.Path("flags.txt").write_text(text.replace("--epochs=2", "--epochs=2 # more"), encoding="utf-8")
    assert "a comment after a value" in refusal("--flagfile=flags.txt")


@pytest.mark.parametrize("path", sorted(FLAGFILES.glob("*.flags")), ids=lambda path: path.name)
def test_every_shipped_flagfile_parses_from_the_root_and_from_anywhere(path, monkeypatch, capsys):
    extra = ["--workdir=w", "--data=pip:movie-snippets"]
    elsewhere = flags.parse([f"--flagfile={path}", *extra])
    capsys.readouterr()
    monkeypatch.chdir(FLAGFILES.parent.parent)
    assert flags.parse([f"--flagfile={path}", *extra]) == elsewhere
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("path", sorted(FLAGFILES.glob("*.flags")), ids=lambda path: path.name)
def test_a_shipped_flagfile_holds_only_what_differs_from_base(path):
    def settings(name):
        lines = (FLAGFILES / name).read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.startswith("--")]

    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    if path.name != "base.flags":
        assert settings(path.name)[0] == "--flagfile=trainer/flagfiles/base.flags"
        assert not set(settings(path.name)) & set(settings("base.flags"))
        assert any(line.startswith("# command:") for line in lines)
