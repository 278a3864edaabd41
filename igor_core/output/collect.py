"""The output of a job's hosts, read as it comes."""

from collections import OrderedDict
from collections.abc import Mapping

from igor_core.output.entry import Entry
from igor_core.output.lines import Lines
from igor_core.output.merge import Merger
from igor_core.output.prefix import Prefixed, split_prefix
from igor_core.output.reading import NEAR, Numbers, Reading
from igor_core.output.telling import is_quiet, is_telling
from igor_core.output.tree import Tree

# Prefixes that are told apart at the same time; of more, the one that told least lately ends.
_MOST_LANES = 256
# Bytes that are gone over at once.
_SLICE = 1 << 14


class _Stream:
    """Lines of one host and stream, counted; `previous` is the last that no reading has taken.

    What is of one `voice` belongs together.
    """

    def __init__(self, voice: str) -> None:
        self.voice = voice
        self.lines = Lines()
        self.number = 0
        self.previous: Prefixed | None = None
        self.previous_at = 0

    def remember(self, line: Prefixed) -> None:
        if line.text.strip():
            self.previous, self.previous_at = line, self.number


class Places:
    """Reads output and collects the places in it. `trees` has each host's view of the project.

    Memory and the time for each byte are bounded, whatever the output is.
    """

    def __init__(self, trees: Mapping[str, Tree]) -> None:
        self._trees = trees
        self._merger = Merger()
        self._numbers = Numbers()
        self._streams: dict[tuple[str, str, bool], _Stream] = {}
        self._readings = OrderedDict[tuple[str, str, str], Reading]()
        self._open: set[tuple[str, str, str]] = set()

    @property
    def dropped(self) -> int:
        """Reports beyond the most that are kept."""
        return self._merger.dropped

    def feed(self, host: str, stream: str, data: bytes, *, joined: bool = False) -> None:
        """Take in what `host`, one of the trees', wrote on `stream`.

        `joined`: what one stream says refers to what the other said (a build's error to its step).
        """
        voice = "" if joined else stream
        source = self._streams.setdefault((host, stream, joined), _Stream(voice))
        for start in range(0, len(data), _SLICE):
            piece = data[start : start + _SLICE]
            if is_quiet(piece):
                piece = self._hurry(host, source, piece)
            self._read(host, source, piece)

    def finish(self) -> list[Entry]:
        """All entries, the location of the failure first."""
        for (host, _stream, _joined), source in self._streams.items():
            self._take(host, source, source.lines.rest())
        for reading in self._readings.values():
            reading.flush()
        self._readings.clear()
        self._open.clear()
        return self._merger.entries()

    def _hurry(self, host: str, source: _Stream, piece: bytes) -> bytes:
        """Leave out lines that nobody waits for; the last ones may belong to what comes."""
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
        key = host, source.voice, prefixed.lane
        telling = is_telling(prefixed.text)
        reading = self._readings.get(key)
        if reading is None and telling:
            reading = self._readings[key] = self._new_reading(host, source, prefixed)
        if reading is None:
            source.remember(prefixed)
        elif telling or key in self._open:
            self._readings.move_to_end(key)
            reading.take(prefixed.text, source.number)
            (self._open.add if reading.open else self._open.discard)(key)
        else:
            reading.follows(prefixed.text, source.number)

    def _new_reading(self, host: str, source: _Stream, prefixed: Prefixed) -> Reading:
        if len(self._readings) >= _MOST_LANES:
            key, oldest = self._readings.popitem(last=False)
            self._open.discard(key)
            oldest.flush()
        rank = prefixed.rank
        if prefixed.host in self._trees:
            host = prefixed.host
        elif prefixed.host:
            rank = rank or prefixed.host
        reading = Reading(self._merger, self._numbers, self._trees[host], host, rank)
        if source.previous and source.previous.lane == prefixed.lane:
            reading.follows(source.previous.text, source.previous_at)
        return reading
