"""Objects in, verdicts out: libesets for Python, over ctypes.

    import esets

    scanner = esets.Scanner(limits={"time": 60_000})
    verdict = scanner.scan_file("mail.eml")
    for threat in verdict.threats:
        print(threat["name"])

A scan does not fail: what could not be looked at is part of the verdict, and such a verdict is never
"clean". A file that cannot be opened or read raises OSError, and so does a daemon that gives no answer;
misuse raises esets.Error. Every object may be used from any thread; ctypes lets other threads run
during a scan.

The library is looked for as the system does, or under the path in the environment variable
ESETS_LIBRARY.
"""

import ctypes
import errno
import json
import os
from ctypes import c_char_p, c_int, c_int32, c_size_t, c_uint64, c_void_p

__all__ = [
    "Client", "Database", "Decision", "Error", "Interrupt", "Policy", "Scanner", "Verdict", "version",
]

_library = ctypes.CDLL(os.environ.get("ESETS_LIBRARY", "libesets.so.0"), use_errno=True)

# The numbers of esets.h, in their order.
_STATUSES = ("clean", "not_scanned", "infected")
_LIMITS = (None, "depth", "memory", "objects", "object_size", "ratio", "readings", "scan_size", "time")
_OPTIONS = (None, "heuristics", "all_records", "unsafe", "unwanted")
_ACTIONS = ("accept", "defer", "discard", "reject")
_OK, _ERROR_IO, _ERROR_FILE_TYPE, _ERROR_DAEMON, _ERROR_REWRITE = 0, 3, 4, 8, 9


def _declare(name, result, *arguments):
    function = getattr(_library, name)
    function.restype = result
    function.argtypes = arguments
    return function


_text_free = _declare("esets_text_free", None, c_void_p)
_result_text = _declare("esets_result_text", c_char_p, c_int32)
_version = _declare("esets_version", c_char_p)
_database_open = _declare("esets_database_open", c_int32, c_char_p, c_void_p, c_void_p)
_database_reload = _declare("esets_database_reload", c_int32, c_void_p, c_void_p)
_database_signatures = _declare("esets_database_signatures", c_uint64, c_void_p)
_database_version = _declare("esets_database_version", c_int32, c_void_p, c_void_p)
_database_warnings = _declare("esets_database_warnings", c_int32, c_void_p, c_void_p)
_scanner_new = _declare("esets_scanner_new", c_int32, c_void_p, c_void_p)
_scanner_set_limit = _declare("esets_scanner_set_limit", c_int32, c_void_p, c_int32, c_uint64)
_scanner_set_option = _declare("esets_scanner_set_option", c_int32, c_void_p, c_int32, c_uint64)
_scanner_skip_format = _declare("esets_scanner_skip_format", c_int32, c_void_p, c_char_p)
_scan_memory = _declare(
    "esets_scan_memory", c_int32, c_void_p, c_void_p, c_char_p, c_size_t, c_char_p, c_void_p
)
_scan_path = _declare("esets_scan_path", c_int32, c_void_p, c_void_p, c_char_p, c_void_p)
_scan_descriptor = _declare(
    "esets_scan_descriptor", c_int32, c_void_p, c_void_p, c_int, c_char_p, c_void_p
)
_verdict_status = _declare("esets_verdict_status", c_int32, c_void_p)
_verdict_json = _declare("esets_verdict_json", c_int32, c_void_p, c_void_p)
_verdict_tree = _declare("esets_verdict_tree", c_int32, c_void_p, c_void_p)
_verdict_threats = _declare("esets_verdict_threats", c_size_t, c_void_p)
_verdict_threat = _declare("esets_verdict_threat", c_void_p, c_void_p, c_size_t, c_void_p)
_detection_name = _declare("esets_detection_name", c_char_p, c_void_p)
_interrupt_raise = _declare("esets_interrupt_raise", c_int32, c_void_p)
_interrupt_clear = _declare("esets_interrupt_clear", c_int32, c_void_p)
_session_set_interrupt = _declare("esets_session_set_interrupt", c_int32, c_void_p, c_void_p)
_session_add_password = _declare(
    "esets_session_add_password", c_int32, c_void_p, c_char_p, c_size_t
)
_policy_open = _declare("esets_policy_open", c_int32, c_char_p, c_void_p, c_void_p)
_policy_scanner = _declare("esets_policy_scanner", c_int32, c_void_p, c_void_p, c_void_p, c_void_p)
_policy_decide = _declare("esets_policy_decide", c_int32, c_void_p, c_void_p, c_void_p, c_void_p)
_context_new = _declare("esets_context_new", c_int32, c_char_p, c_void_p)
_context_set_modifiable = _declare("esets_context_set_modifiable", c_int32, c_void_p, c_int)
_policy_handle = _declare(
    "esets_policy_handle", c_int32, c_void_p, c_void_p, c_void_p, c_void_p, c_char_p, c_size_t,
    c_char_p, c_void_p, c_void_p
)
_decision_disposition = _declare("esets_decision_disposition", c_void_p, c_void_p, c_size_t)
_disposition_apply = _declare(
    "esets_disposition_apply", c_int32, c_void_p, c_void_p, c_char_p, c_size_t, c_void_p
)
_message_bytes = _declare("esets_message_bytes", c_void_p, c_void_p, c_void_p)
_client_new = _declare("esets_client_new", c_int32, c_char_p, c_uint64, c_void_p)
_client_scan_memory = _declare(
    "esets_client_scan_memory", c_int32, c_void_p, c_void_p, c_char_p, c_size_t, c_char_p, c_void_p,
    c_void_p
)
_client_scan_path = _declare(
    "esets_client_scan_path", c_int32, c_void_p, c_void_p, c_char_p, c_void_p, c_void_p
)
_client_scan_descriptor = _declare(
    "esets_client_scan_descriptor", c_int32, c_void_p, c_void_p, c_int, c_char_p, c_void_p, c_void_p
)
_decision_json = _declare("esets_decision_json", c_int32, c_void_p, c_void_p)
_decision_rule = _declare("esets_decision_rule", c_char_p, c_void_p)
_CONTEXT = {
    key: _declare(name, c_int32, c_void_p, c_char_p)
    for key, name in {
        "client": "esets_context_set_client",
        "server": "esets_context_set_server",
        "sender": "esets_context_set_sender",
        "recipient": "esets_context_add_recipient",
        "user": "esets_context_set_user",
    }.items()
}


class Error(Exception):
    """Misuse: an unknown key, an unsuitable value, a configuration with mistakes."""


def version():
    """The version of the library."""
    return _version().decode()


def _check(result, text=None):
    if result != _OK:
        raise Error(text or _result_text(result).decode())


def _check_system(result, path):
    """As _check, but what the system said is an OSError."""
    if result in (_ERROR_IO, _ERROR_FILE_TYPE, _ERROR_DAEMON):
        number = errno.EINVAL if result == _ERROR_FILE_TYPE else ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    _check(result)


def _text(function, pointer):
    """The text that a function hands over."""
    out = c_void_p()
    _check(function(pointer, ctypes.byref(out)))
    return _take(out)


def _take(out):
    text = ctypes.string_at(out).decode() if out else None
    _text_free(out)
    return text


def _number(kind, names, name):
    if name is None or name not in names:
        raise Error(f"no such {kind}: {name}")
    return names.index(name)


def _bytes(text):
    return os.fsencode(text) if isinstance(text, (str, os.PathLike)) else bytes(text)


class _Owned:
    """A pointer and the function that frees it."""

    _noun = None

    def __init__(self, pointer):
        self._pointer = pointer
        # Bound here: at the end of the interpreter the module may be gone before its objects.
        self._free = _declare(f"esets_{self._noun}_free", None, c_void_p)

    @classmethod
    def _make(cls, function, *arguments):
        out = c_void_p()
        _check(function(*arguments, ctypes.byref(out)))
        return out

    @classmethod
    def _open(cls, function, path):
        out, error = c_void_p(), c_void_p()
        result = function(_bytes(path), ctypes.byref(out), ctypes.byref(error))
        _check(result, _take(error))
        return out

    def __del__(self):
        if getattr(self, "_pointer", None):
            self._free(self._pointer)


class Database(_Owned):
    """Signatures: a compiled database, a source, a folder with either, or what the library carries."""

    _noun = "database"

    def __init__(self, path=None):
        if path is None:
            super().__init__(self._make(_declare("esets_database_embedded", c_int32, c_void_p)))
        else:
            super().__init__(self._open(_database_open, path))

    def reload(self):
        """Opens the same path again, also for the scanners that use it."""
        error = c_void_p()
        result = _database_reload(self._pointer, ctypes.byref(error))
        _check(result, _take(error))

    @property
    def signatures(self):
        """How many there are."""
        return _database_signatures(self._pointer)

    @property
    def version(self):
        """Their version in words."""
        return _text(_database_version, self._pointer)

    @property
    def warnings(self):
        """The lines of sources that are not used, one line each."""
        return _text(_database_warnings, self._pointer)


class Interrupt(_Owned):
    """A cancel button for scans in other threads."""

    _noun = "interrupt"

    def __init__(self):
        super().__init__(self._make(_declare("esets_interrupt_new", c_int32, c_void_p)))

    def cancel(self):
        """Ends every scan that was given this button, those that start later too."""
        _interrupt_raise(self._pointer)

    def clear(self):
        """Lets scans run again."""
        _interrupt_clear(self._pointer)


class _Session(_Owned):
    _noun = "session"

    def __init__(self, passwords, interrupt):
        super().__init__(self._make(_declare("esets_session_new", c_int32, c_void_p)))
        for password in map(_bytes, passwords):
            _check(_session_add_password(self._pointer, password, len(password)))
        if interrupt is not None:
            _check(_session_set_interrupt(self._pointer, interrupt._pointer))


class Scanner(_Owned):
    """A database, limits (by the names of esets.h, time in milliseconds) and options."""

    _noun = "scanner"

    def __init__(
        self, database=None, limits=(), options=(), skip=(), passwords=(), interrupt=None,
        _pointer=None,
    ):
        if _pointer is None:
            database = database or Database()
            _pointer = self._make(_scanner_new, database._pointer)
        super().__init__(_pointer)
        for name, value in dict(limits).items():
            _check(_scanner_set_limit(self._pointer, _number("limit", _LIMITS, name), value))
        for name, value in dict(options).items():
            number = _number("option", _OPTIONS, name)
            _check(_scanner_set_option(self._pointer, number, bool(value)))
        for name in skip:
            _check(_scanner_skip_format(self._pointer, name.encode()))
        self._session = _Session(passwords, interrupt)

    def scan_bytes(self, content, name=""):
        """Scans bytes."""
        content = bytes(content)
        return self._scan(_scan_memory, content, len(content), _bytes(name))

    def scan_file(self, path):
        """Scans a regular file; OSError if it cannot be opened or read."""
        return self._scan(_scan_path, _bytes(path), path=path)

    def scan_descriptor(self, fd, name=""):
        """Scans all of a regular file, or what a pipe or socket yields up to its end."""
        return self._scan(_scan_descriptor, fd, _bytes(name), path=name)

    def _scan(self, function, *arguments, path=None):
        out = c_void_p()
        result = function(self._pointer, self._session._pointer, *arguments, ctypes.byref(out))
        _check_system(result, path)
        return Verdict(out)


class Verdict(_Owned):
    """What a scan found."""

    _noun = "verdict"

    @property
    def status(self):
        """clean, not_scanned or infected."""
        return _STATUSES[_verdict_status(self._pointer)]

    @property
    def report(self):
        """All of it, as the JSON report has it."""
        return json.loads(_text(_verdict_json, self._pointer))

    @property
    def records(self):
        """The records of the report; a container comes before its members."""
        return self.report["records"]

    @property
    def threats(self):
        """Every detection with the position of its record, the deepest object only."""
        records, threats = self.records, []
        for index in range(_verdict_threats(self._pointer)):
            at = c_size_t()
            found = _verdict_threat(self._pointer, index, ctypes.byref(at))
            name = _detection_name(found).decode()
            detections = records[at.value]["detections"]
            detection = next(one for one in detections if one["name"] == name)
            threats.append({**detection, "record": at.value})
        return threats

    def __str__(self):
        return _text(_verdict_tree, self._pointer)


class Policy(_Owned):
    """esets.cfg; without a path, what an empty one says."""

    _noun = "policy"

    def __init__(self, path=None):
        if path is None:
            super().__init__(self._make(_declare("esets_policy_default", c_int32, c_void_p)))
        else:
            super().__init__(self._open(_policy_open, path))

    def scanner(self, database, agent, passwords=(), interrupt=None, **known):
        """The scanner that the policy wants for this context, or None if it needs no scan."""
        context = _Context(agent, **known)
        out = self._make(_policy_scanner, self._pointer, context._pointer, database._pointer)
        return Scanner(passwords=passwords, interrupt=interrupt, _pointer=out) if out else None

    def decide(self, verdict, agent, **known):
        """What happens to an object: a Decision. For mails that may be changed ask handle()."""
        context = _Context(agent, **known)
        pointer = verdict._pointer if verdict is not None else None
        made = self._make(_policy_decide, self._pointer, context._pointer, pointer)
        return Decision(_DecisionHandle(made))

    def handle(self, database, content, agent, name="", passwords=(), interrupt=None, **known):
        """All of an agent's work on a mail: a Decision and a Verdict, None if no scan was needed.

        Where parts are to be taken out, the mail without them is scanned too."""
        context, session = _Context(agent, **known), _Session(passwords, interrupt)
        content, verdict, decision = bytes(content), c_void_p(), c_void_p()
        _check(_policy_handle(
            self._pointer, context._pointer, database._pointer, session._pointer, content,
            len(content), _bytes(name), ctypes.byref(verdict), ctypes.byref(decision)
        ))
        return _answer(verdict, decision)


class Client(_Owned):
    """A client of the daemon that listens on a socket; patience, in milliseconds, is how long an
    answer may take, 0 for as long as it does.

    Its calls return a Decision and a Verdict, None if the daemon's policy needed no scan. Without an
    answer they raise OSError: such an object is not clean."""

    _noun = "client"

    def __init__(self, socket, patience=0):
        super().__init__(self._make(_client_new, _bytes(socket), patience))

    def scan_bytes(self, content, agent, name="", **known):
        """Hands over bytes."""
        content = bytes(content)
        return self._scan(
            _client_scan_memory, (content, len(content), _bytes(name)), name, agent, known
        )

    def scan_file(self, path, agent, **known):
        """Hands over a regular file, which is opened here."""
        return self._scan(_client_scan_path, (_bytes(path),), path, agent, known)

    def scan_descriptor(self, fd, agent, name="", **known):
        """Hands over an open descriptor of a regular file."""
        return self._scan(_client_scan_descriptor, (fd, _bytes(name)), name, agent, known)

    def _scan(self, function, what, path, agent, known):
        context, verdict, decision = _Context(agent, **known), c_void_p(), c_void_p()
        result = function(
            self._pointer, context._pointer, *what, ctypes.byref(verdict), ctypes.byref(decision)
        )
        _check_system(result, path)
        return _answer(verdict, decision)


def _answer(verdict, decision):
    return Decision(_DecisionHandle(decision)), Verdict(verdict) if verdict else None


class _DecisionHandle(_Owned):
    _noun = "decision"


class _Message(_Owned):
    _noun = "message"


class Decision(dict):
    """What happens to an object: action, rule and dispositions, as the JSON report has them."""

    def __init__(self, handle):
        super().__init__(json.loads(_text(_decision_json, handle._pointer)))
        self["rule"] = _decision_rule(handle._pointer).decode()
        self._handle = handle

    def apply(self, index, verdict, content):
        """The mail as it passes for the recipients of a disposition; None if a part cannot be taken
        out, then it must not pass. Content and verdict are those of the scan."""
        disposition = _decision_disposition(self._handle._pointer, index)
        if not disposition:
            raise IndexError(index)
        pointer = verdict._pointer if verdict is not None else None
        content, out, size = bytes(content), c_void_p(), c_size_t()
        result = _disposition_apply(
            disposition, pointer, content, len(content), ctypes.byref(out)
        )
        if result == _ERROR_REWRITE:
            return None
        _check(result)
        message = _Message(out)
        return ctypes.string_at(_message_bytes(message._pointer, ctypes.byref(size)), size.value)


class _Context(_Owned):
    _noun = "context"

    def __init__(self, agent, recipients=(), modifiable=False, **known):
        super().__init__(self._make(_context_new, agent.encode()))
        facts = [("recipient", one) for one in recipients] + list(known.items())
        for key, value in facts:
            if key not in _CONTEXT:
                raise Error(f"unknown argument: {key}")
            if value is not None:
                _check(_CONTEXT[key](self._pointer, str(value).encode()))
        _check(_context_set_modifiable(self._pointer, modifiable))
