"""The frames between agent and receiver, and how their payloads are packed. Both ends (3.6+).

Frames are those of remote/frames.py; the number is the request, answered under the same
number. The receiver greets with MAGIC, whose digit is the version of this table.

    kind         from   payload
    OPEN     1   agent  tree (32 bits, of the agent's choice), then JSON: base, project, claim,
                        writing, taking. Answer: OPENED
    WRITE    2   agent  TARGET, the content. Answer: ANSWER, as for the next four
    PATCH    3   agent  TARGET, BASE (size, time, length of the prefix and of the suffix, sha256 of
                        the result), the middle
    LINK     4   agent  TARGET, what the link points to
    DELETE   5   agent  TARGET, folders to be removed if empty, separated by NUL, the deepest first
    BEGIN    6   agent  TARGET, size (64 bits): a file in chunks; its ANSWER comes after the COMMIT,
                        or before if it is refused or fails: what still comes of it is ignored
    CHUNK    7   agent  content of the file that was begun under this number. Answer: TAKEN
    BEAT     8   agent  echoed
    COMMIT   9   agent  all of the file has been sent
    ABORT   10   agent  forget the file; not answered
    LIST    11   agent  tree, paths (zlib, separated by NUL); known by their blake2b from now on,
                        until the tree's next LIST. Not answered
    SURVEY  12   agent  tree, the list's blake2b (16 bytes), digests. Answer: SURVEYED, ended by an
                        empty one
    HASHES  13   agent  tree, paths as in LIST. Answer: HASHED, ended by an empty one
    READ    14   agent  tree, limit (32 bits), path. Answer: CONTENT
    READY   16   host   JSON: pid, python
    OPENED  17   host   JSON: path, exists, claimed_by; or error
    ANSWER  18   host   REPLY, target, hash, obstacle, reason
    TAKEN   19   host   bytes of the chunk (32 bits)
    SURVEYED 20  host   groups that differ: number of the group (32 bits), a SEEN and target for
                        each of its paths
    HASHED  21   host   number of the path (32 bits), sha256
    CONTENT 22   host   0 and the reason, or 1 and bytes
    NONSENSE 23  host   why the receiver ends: it doesn't understand the agent
    WORKING 24   host   still at a SURVEY or HASHES, every few seconds

TARGET: tree, mode, time, length of the path, then what is expected there: flags (1: nothing,
2: anything but a folder), number of versions, number of links; the path; VERSION (size, time) and
sha256 (32 zeros: unknown) of each; a length (16 bits) and the target of each link.
REPLY: done, kind (find's %y, NUL for nothing), size, time, mode, the lengths of what follows.

A survey's digest is of GROUP paths at a time, in the list's order, two numbers (FACTS) for each:
a file's size and time; of a link LINK_FACT and its target's digest; of others a number and zero.
"""

import hashlib
import struct

MAGIC = b"\0igor-receiver-1\n"

OPEN, WRITE, PATCH, LINK, DELETE, BEGIN, CHUNK = range(1, 8)
COMMIT, ABORT, LIST, SURVEY, HASHES, READ = range(9, 15)
OPENED, ANSWER, TAKEN, SURVEYED, HASHED, CONTENT, NONSENSE, WORKING = range(17, 25)

NUMBER = struct.Struct(">I")
SIZE = struct.Struct(">Q")
LENGTH = struct.Struct(">H")
TARGET = struct.Struct(">IHqHBBB")
VERSION = struct.Struct(">Qq")
BASE = struct.Struct(">QqQQ32s")
REPLY = struct.Struct(">BcQqHHBHH")
SEEN = struct.Struct(">cQqHH")
HASH = struct.Struct(">I32s")

ABSENT, ANYTHING = 1, 2
HASH_SIZE, LIST_HASH_SIZE, DIGEST_SIZE = 32, 16, 8
NO_HASH = bytes(HASH_SIZE)

GROUP = 64
GROUP_BYTES = GROUP * 16
NOTHING_FACT, FOLDER_FACT, LINK_FACT, OTHER_FACT = -1, -2, -3, -4

# No frame is longer, nor a list of paths when it is unpacked.
MOST_BYTES = 8 << 20
MOST_LIST_BYTES = 256 << 20
# Content of files above this isn't hashed within an answer: it would hold up the others.
HASHED_AT_ONCE = 64 << 20
NOT_THE_BASE = "patch"
# What takes long says so as often; nothing else takes so long that the agent would wonder.
WORKING_SECONDS = 5.0


def link_fact(target):
    """A number for what a link points to."""
    return int.from_bytes(hashlib.blake2b(target, digest_size=8).digest(), "little", signed=True)


def digests(facts):
    """The digests of all groups of FACTS, joined."""
    packed = memoryview(struct.pack(f"<{len(facts)}q", *facts))
    return b"".join(
        hashlib.blake2b(packed[at : at + GROUP_BYTES], digest_size=DIGEST_SIZE).digest()
        for at in range(0, len(packed), GROUP_BYTES)
    )


def list_hash(packed):
    return hashlib.blake2b(packed, digest_size=LIST_HASH_SIZE).digest()
