"""Configs of every kind, for tests that read one."""

SIMPLE = """{
    "user": "dino",
    "debug_port": 5556,
    "docker_rebuild_files": [ "requirements.txt" ],
    "dockerfile": "dockerfile",
    "repl_cmd": "ipython",
    "host_groups": {
        "dev": {
            "hosts": [
                {"host": "apollo",
                 "dir": "/home/dino/data2/dev_dsk"}
            ]
        }
    }
}
"""


CLUSTER = """{
    "user": "dino",
    "debug_port": 5556,
    "repl_cmd": "ipython",
    "host_groups": {
        "cluster": {
            "hosts": [
                {"host": "apollo",
                 "dir": "/home/dino/data2/dev_dsk",
                 "tag": "manager"},
                {"host": "enterprise",
                 "dir": "/home/dino/dev_dsk",
                 "tag": "worker"}
            ]
        }
    }
}
"""


EVERYTHING = {
    "$schema": "./config.schema.json",
    "user": "dino",
    "project": "lander",
    "debug_port": 65535,
    "dockerfile": "docker/Dockerfile.gpu",
    "docker_rebuild_files": ["requirements*.txt", "conf/**/*.yml"],
    "docker_build_args": {"CUDA": "12.1", "note": "two\nlines"},
    "docker_run_args": ["--gpus", "all", "--shm-size=8g", "--env=A=b c", "-v", "/data:/data"],
    "runtime": "podman",
    "run_as": "image",
    "workspace": "/srv/my code",
    "repl_cmd": "ipython --no-banner",
    "include": ["weights/*.bin"],
    "exclude": ["*.mp4", "!keep.mp4"],
    "debug": {
        "python": "/venv/lander/bin/python",
        "subprocess": True,
        "just_my_code": True,
        "grace": 0.5,
        "detach": True,
        "programs": {
            "train": {
                "program": "src/train 'em.py",
                "args": ["--name", "", "$HOME a"],
                "cwd": "/data",
                "env": {"N": "3"},
                "python": "python3.12",
            },
            "serve.2": {"module": "lander.serve", "cwd": "src"},
        },
    },
    "host_groups": {
        "dev": {
            "hosts": [
                {
                    "host": "2001:db8::1%eth0",
                    "dir": "~/a 'quoted' \"dir\"; $(touch x) `y`",
                    "tag": "manager_2",
                    "user": "dino@realm",
                    "port": 2222,
                    "env": {"CUDA_VISIBLE_DEVICES": "0,1", "EMPTY": ""},
                }
            ]
        },
        "gpu-4.big": {"hosts": [{"host": "h", "dir": "/d"}]},
    },
}
