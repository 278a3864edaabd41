"""Wrong configs and their error messages, for the checker and for the schema."""

from typing import Any


def config(**more: Any) -> dict[str, Any]:
    return {"host_groups": {"dev": {"hosts": [{"host": "apollo", "dir": "/data"}]}}, **more}


def host(**more: Any) -> dict[str, Any]:
    return {"host_groups": {"dev": {"hosts": [{"host": "apollo", "dir": "/data", **more}]}}}


def program(entry: Any, name: str = "train") -> dict[str, Any]:
    return config(debug={"programs": {name: entry}})


PROGRAM = "debug.programs.train"
HOST = "host_groups.dev.hosts[0]"

MISTAKES: list[tuple[dict[str, Any] | list[Any], str]] = [
    # the shape
    ([], "expected an object ({...}), found an array"),
    ({}, "host_groups: is missing"),
    ({"host_groups": {}}, "host_groups: must not be empty"),
    ({"host_groups": {"dev": {}}}, "host_groups.dev.hosts: is missing"),
    ({"host_groups": {"dev": {"hosts": []}}}, "host_groups.dev.hosts: must not be empty"),
    ({"host_groups": {"dev": []}}, "host_groups.dev: expected an object ({...}), found an array"),
    (
        {"host_groups": {"dev": {"hosts": ["apollo"]}}},
        f"{HOST}: expected an object ({{...}}), found the string 'apollo'",
    ),
    ({"host_groups": {"dev": {"hosts": [{"host": "a"}]}}}, f"{HOST}.dir: is missing"),
    (host(prot=22), f"{HOST}.prot: unknown key; did you mean 'port'?"),
    (
        host(zzz=1),
        f"{HOST}.zzz: unknown key; known keys: host, dir, tag, user, port, env",
    ),
    (
        host(**{"$schema": "x"}),
        f"{HOST}['$schema']: unknown key; known keys: host, dir, tag, user, port, env",
    ),
    (
        config(**{"a\nb": 1}),
        "['a\\nb']: unknown key; known keys: user, project, host_groups, "
        "dockerfile, docker_rebuild_files, docker_build_args, docker_run_args, runtime, run_as, "
        "workspace, repl_cmd, repl_persist, debug_port, debug, push_on_write, transport, include, "
        "exclude",
    ),
    # hosts
    (
        host(host="-oProxyCommand=touch /tmp/owned"),
        f"{HOST}.host: must not start with '-'; found '-oProxyCommand=touch /tmp/owned'",
    ),
    (host(host=""), f"{HOST}.host: must not be empty; found ''"),
    (host(host="a b"), f"{HOST}.host: must not contain spaces; found 'a b'"),
    (
        host(host="a\nb"),
        f"{HOST}.host: must not contain line breaks or control characters; found 'a\\nb'",
    ),
    (
        host(host="a$(id)"),
        f"{HOST}.host: must not contain characters that are special to a shell; found 'a$(id)'",
    ),
    (
        host(host="dino@apollo"),
        f"{HOST}.host: must be the host only; put the part before '@' under 'user'; "
        "found 'dino@apollo'",
    ),
    (host(host=5), f"{HOST}.host: expected a string, found the number 5"),
    (host(dir="data"), f"{HOST}.dir: must be an absolute path or start with '~/'; found 'data'"),
    (
        host(dir="~kate/x"),
        f"{HOST}.dir: must be an absolute path or start with '~/'; found '~kate/x'",
    ),
    (
        host(dir="/data\nrm -rf /"),
        f"{HOST}.dir: must not contain line breaks or control characters; found '/data\\nrm -rf /'",
    ),
    (host(dir="$(id)"), f"{HOST}.dir: must be an absolute path or start with '~/'; found '$(id)'"),
    (host(user="-l root"), f"{HOST}.user: must not start with '-'; found '-l root'"),
    (host(user=""), f"{HOST}.user: must not be empty; found ''"),
    (
        host(user="a;b"),
        f"{HOST}.user: must not contain characters that are special to a shell; found 'a;b'",
    ),
    (host(port=0), f"{HOST}.port: expected a number from 1 to 65535, found 0"),
    (host(port="22"), f"{HOST}.port: expected an integer, found the string '22'"),
    (host(port=22.5), f"{HOST}.port: expected an integer, found the number 22.5"),
    (host(port=None), f"{HOST}.port: expected an integer, found null"),
    (
        host(tag="a-b"),
        f"{HOST}.tag: must have only letters, digits and '_', and "
        "not start with a digit; found 'a-b'",
    ),
    (
        host(env={"A=B": "x"}),
        f"{HOST}.env['A=B']: must have only letters, digits and '_', and not start with a digit; "
        "found 'A=B'",
    ),
    (host(env={"A": 1}), f"{HOST}.env.A: expected a string, found the number 1"),
    (host(env={"A": "\0"}), f"{HOST}.env.A: must not contain a NUL character; found '\\x00'"),
    (
        {"host_groups": {"../x": {"hosts": [{"host": "a", "dir": "/d"}]}}},
        "host_groups['../x']: a group's name has letters, digits, '_', '.' and '-', and starts "
        "with a letter or digit; found '../x'",
    ),
    # the rest
    (config(debug_port=True), "debug_port: expected an integer, found true"),
    (config(transport="scp"), "transport: expected 'receiver' or 'rsync', found 'scp'"),
    (config(push_on_write=1), "push_on_write: expected true or false, found the number 1"),
    (
        config(push_on_write="true"),
        "push_on_write: expected true or false, found the string 'true'",
    ),
    (config(debug_port=65536), "debug_port: expected a number from 1 to 65535, found 65536"),
    (config(user=""), "user: must not be empty; found ''"),
    (
        config(user="a\x9bb"),
        "user: must not contain line breaks or control characters; found 'a\\x9bb'",
    ),
    (config(project="a/b"), "project: must be the name of one folder, without '/'; found 'a/b'"),
    (config(project=".."), "project: must not be '.' or '..'; found '..'"),
    (config(project="-rf"), "project: must not start with '-'; found '-rf'"),
    (
        config(project=".igor-host"),
        "project: must not be '.igor-host', which is igor's own folder on a host; "
        "found '.igor-host'",
    ),
    (
        config(dockerfile="/etc/passwd"),
        "dockerfile: must be a path in the project, from its root; found '/etc/passwd'",
    ),
    (config(dockerfile="../x"), "dockerfile: must not contain '..'; found '../x'"),
    (config(dockerfile="-"), "dockerfile: must not start with '-'; found '-'"),
    (
        config(docker_rebuild_files="requirements.txt"),
        "docker_rebuild_files: expected an array ([...]), found the string 'requirements.txt'",
    ),
    (
        config(docker_rebuild_files=["ok", ""]),
        "docker_rebuild_files[1]: must not be empty; found ''",
    ),
    (
        config(docker_build_args={"--x": "1"}),
        "docker_build_args.--x: must have only letters, digits and '_', and "
        "not start with a digit; found '--x'",
    ),
    (
        config(docker_build_args=["CUDA=12"]),
        "docker_build_args: expected an object ({...}), found an array",
    ),
    (
        config(docker_run_args=["--gpus all"]),
        "docker_run_args[0]: must be one argument; write the option and its value as two items; "
        "found '--gpus all'",
    ),
    (
        config(runtime="dokcer"),
        "runtime: expected 'docker' or 'podman' or 'none', found 'dokcer'; did you mean 'docker'?",
    ),
    (config(runtime=None), "runtime: expected 'docker' or 'podman' or 'none', found null"),
    (config(run_as="root"), "run_as: expected 'user' or 'image', found 'root'"),
    (config(workspace="work"), "workspace: must be an absolute path; found 'work'"),
    (config(workspace="/a/../b"), "workspace: must not contain '.' or '..'; found '/a/../b'"),
    (config(workspace="/"), "workspace: must not contain '//' or end with '/'; found '/'"),
    (config(workspace="/a:ro"), "workspace: must not contain ':'; found '/a:ro'"),
    (
        config(exclude=["a\nb"]),
        "exclude[0]: must not contain line breaks or control characters; found 'a\\nb'",
    ),
    (config(debug={"pyhton": "x"}), "debug.pyhton: unknown key; did you mean 'python'?"),
    (config(debug={"python": "-c"}), "debug.python: must not start with '-'; found '-c'"),
    (
        config(debug={"just_my_code": "false"}),
        "debug.just_my_code: expected true or false, found the string 'false'",
    ),
    (
        config(debug={"subprocess": 1}),
        "debug.subprocess: expected true or false, found the number 1",
    ),
    (
        config(debug={"grace": -0.5}),
        "debug.grace: expected a number from 0 to 604800, found -0.5",
    ),
    (config(debug={"grace": True}), "debug.grace: expected a number, found true"),
    (config(debug={"grace": "30s"}), "debug.grace: expected a number, found the string '30s'"),
    # programs
    (
        config(debug={"programs": ["train.py"]}),
        "debug.programs: expected an object ({...}), found an array",
    ),
    (
        program({"program": "a.py"}, "my program"),
        "debug.programs['my program']: a program's name has letters, digits, '_', '.' and '-', and "
        "starts with a letter or digit; found 'my program'",
    ),
    (program("train.py"), f"{PROGRAM}: expected an object ({{...}}), found the string 'train.py'"),
    (program({}), f"{PROGRAM}: must have 'program' or 'module'"),
    (program({"args": ["-v"]}), f"{PROGRAM}: must have 'program' or 'module'"),
    (
        program({"program": "a.py", "module": "a"}),
        f"{PROGRAM}.module: can't be set together with 'program'",
    ),
    (
        program({"file": "a.py", "module": "a"}),
        f"{PROGRAM}.file: unknown key; known keys: program, module, args, cwd, env, python",
    ),
    (
        program({"program": "/workspace/a.py"}),
        f"{PROGRAM}.program: must be a path in the project, from its root; found '/workspace/a.py'",
    ),
    (program({"program": "../a.py"}), f"{PROGRAM}.program: must not contain '..'; found '../a.py'"),
    (
        program({"module": "src/train.py"}),
        f"{PROGRAM}.module: must be a module's name, with dots; put a file under 'program'; "
        "found 'src/train.py'",
    ),
    (
        program({"module": "src.train."}),
        f"{PROGRAM}.module: must be a module's name, as for 'python -m'; found 'src.train.'",
    ),
    (
        program({"module": "a", "args": "-v --fast"}),
        f"{PROGRAM}.args: expected an array ([...]), found the string '-v --fast'",
    ),
    (
        program({"module": "a", "args": ["--n", 3]}),
        f"{PROGRAM}.args[1]: expected a string, found the number 3",
    ),
    (
        program({"module": "a", "cwd": "~/x"}),
        f"{PROGRAM}.cwd: must be a path from the project's root, or an absolute path in the "
        "container; found '~/x'",
    ),
    (
        program({"module": "a", "env": {"N": 3}}),
        f"{PROGRAM}.env.N: expected a string, found the number 3",
    ),
    (
        program({"module": "a", "python": "-c"}),
        f"{PROGRAM}.python: must not start with '-'; found '-c'",
    ),
    (
        config(user="x" * 100 + "\n"),
        "user: must not contain line breaks or control characters; found '" + "x" * 57 + "...'",
    ),
]
