"""Parses the output of a job's hosts as it comes."""

import itertools
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial

from igor_core.output.entry import QuickfixEntry
from igor_core.output.line_splitter import LineSplitter
from igor_core.output.merge import Merger
from igor_core.output.prefilter import may_matter, nothing_matters
from igor_core.output.prefix import Prefixed, split_prefix
from igor_core.output.source_tree import SourceTree
from igor_core.output.speaker import NEAR, SpeakerReader

# The most speakers at the same time; a further one replaces the one silent for longest.
_MOST_SPEAKERS = 256
# Bytes that are parsed at once.
_SLICE = 1 << 14


class _Stream:
    """The lines of one host and stream, counted; `previous` is the last one that no speaker took.

    Streams of one `group` are read as one.
    """

    def __init__(self, group: str) -> None:
        self.group = group
        self.lines = LineSplitter()
        self.number = 0
        self.previous: Prefixed | None = None
        self.previous_at = 0

    def remember(self, line: Prefixed) -> None:
        if line.text.strip():
            self.previous, self.previous_at = line, self.number


class OutputParser:
    """Collects the source locations in output. `trees` has each host's view of the project.

    Memory, and the time for each byte, are bounded whatever the output is.
    """

    def __init__(self, trees: Mapping[str, SourceTree]) -> None:
        self._trees = trees
        self._merger = Merger()
        self._count = partial(next, itertools.count(1))
        self._streams: dict[tuple[str, str, bool], _Stream] = {}
        self._speakers = OrderedDict[tuple[str, str, str], SpeakerReader]()
        # Speakers that are in the middle of a report.
        self._open: set[tuple[str, str, str]] = set()

    @property
    def dropped(self) -> int:
        """The number of reports that there was no room for."""
        return self._merger.dropped

    def feed(self, host: str, stream: str, data: bytes, *, joined: bool = False) -> None:
        """Parse what `host`, one of the trees', wrote on `stream`.

        `joined`: read both streams as one, since one refers to the other (a build's error to its
        step).
        """
        group = "" if joined else stream
        source = self._streams.setdefault((host, stream, joined), _Stream(group))
        for start in range(0, len(data), _SLICE):
            piece = data[start : start + _SLICE]
            if nothing_matters(piece):
                piece = self._skip_quiet(host, source, piece)
            self._read(host, source, piece)

    def finish(self) -> list[QuickfixEntry]:
        """Return all entries, the location of the failure first."""
        for (host, _stream, _joined), source in self._streams.items():
            self._take(host, source, source.lines.rest())
        for speaker in self._speakers.values():
            speaker.flush()
        self._speakers.clear()
        self._open.clear()
        return self._merger.entries()

    def _skip_quiet(self, host: str, source: _Stream, piece: bytes) -> bytes:
        """Skip lines that hold no location; return the last ones, to which later ones may refer."""
        begun = piece.find(b"\n") + 1
        last = len(piece)
        for _ in range(NEAR + 2):
            last = piece.rfind(b"\n", 0, last)
            if last < begun:
                return piece
        self._read(host, source, piece[:begun])
        if self._open:
            return piece[begun:]
        source.number += piece.count(b"\n", begun, last + 1)
        return piece[last + 1 :]

    def _read(self, host: str, source: _Stream, piece: bytes) -> None:
        for line in source.lines.feed(piece):
            self._take(host, source, line)

    def _take(self, host: str, source: _Stream, line: str) -> None:
        source.number += 1
        if not self._open and not line.strip():
            return
        prefixed = split_prefix(line)
        key = host, source.group, prefixed.speaker
        matters = may_matter(prefixed.text)
        speaker = self._speakers.get(key)
        if speaker is None and matters:
            speaker = self._speakers[key] = self._new_speaker(host, source, prefixed)
        if speaker is None:
            source.remember(prefixed)
        elif matters or key in self._open:
            self._speakers.move_to_end(key)
            speaker.take(prefixed.text, source.number)
            (self._open.add if speaker.open else self._open.discard)(key)
        else:
            speaker.follows(prefixed.text, source.number)

    def _new_speaker(self, host: str, source: _Stream, prefixed: Prefixed) -> SpeakerReader:
        if len(self._speakers) >= _MOST_SPEAKERS:
            key, oldest = self._speakers.popitem(last=False)
            self._open.discard(key)
            oldest.flush()
        rank = prefixed.rank
        if prefixed.host in self._trees:
            host = prefixed.host
        elif prefixed.host:
            rank = rank or prefixed.host
        speaker = SpeakerReader(self._merger, self._count, self._trees[host], host, rank)
        if source.previous and source.previous.speaker == prefixed.speaker:
            speaker.follows(source.previous.text, source.previous_at)
        return speaker
