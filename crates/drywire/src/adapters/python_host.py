"""Loads DryBox adapters written in Python: names, seeds, constructs, resolves their callbacks.

One file, two uses. The wheel imports it as `drybox._host` and drives the adapters in its own
process; the sidecar host (`sidecar/serve.py`) is sent it together with itself. An adapter therefore
sees the same world either way (`docs/spec/adapters.md`).

Standard library only, Python 3.9 or newer. numpy is never imported here.
"""

import collections.abc
import contextlib
import dataclasses
import enum
import hashlib
import importlib
import importlib.machinery
import importlib.util
import inspect
import os
import random
import re
import sys
import traceback

BLOCK_SAMPLES = 160
DEFAULT_SDU_MAX_BYTES = 1024
ENTRY_POINT_GROUP = "drybox.adapters"
MAX_DEPTH = 32
# What DryBox writes for a list or object below that.
TOO_DEEP = "[too deep]"
MAX_NODES = 1_000_000

_HERE = (lambda: None).__code__.co_filename


class LoadError(Exception):
    """The adapter could not be found, or lacks something that it needs to run in this mode."""


class ContractError(Exception):
    """The adapter answered something else than the interface asks for."""


# --- Events: from any Python value to plain JSON -------------------------------------------------


def plain(value):
    """`value` as plain JSON: dict with string keys, list, str, int (64 bits), float, bool, None.

    The rules are those of `docs/spec/adapters.md`, section 6.
    """
    return _Plain().convert(value, 1)


class _Plain:
    """One conversion: counts the values and knows the containers that it is inside of."""

    def __init__(self):
        self.nodes = 0
        self.inside = set()

    def convert(self, value, depth):
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ValueError(f"an event payload may hold at most {MAX_NODES} values")
        kind = type(value)
        if kind is str:
            return _text(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return _integer(value)
        if kind is float:
            # Subtracted from themselves, NaN and the infinities give NaN.
            return value if value - value == 0.0 else None
        if isinstance(value, enum.Enum):
            return self.convert(value.value, depth)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value).hex()
        if hasattr(value, "dtype") and hasattr(value, "tolist"):
            listed = value.tolist()
            if type(listed) is not kind:
                return self.convert(listed, depth)
            return self.convert(float(value), depth)
        if isinstance(value, str):
            return _text(str.__str__(value))
        if isinstance(value, int):
            return _integer(int(value))
        if isinstance(value, float):
            return self.convert(float(value), depth)
        if isinstance(value, complex):
            return [self.convert(value.real, depth), self.convert(value.imag, depth)]
        return self.container(value, depth)

    def container(self, value, depth):
        fields = None
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
        elif isinstance(value, collections.abc.Mapping):
            fields = value.items()
        elif not isinstance(value, collections.abc.Collection) or isinstance(value, type):
            return _described(value)
        if depth > MAX_DEPTH or id(value) in self.inside:
            return TOO_DEEP
        self.inside.add(id(value))
        try:
            if fields is not None:
                return {_key(k): self.convert(v, depth + 1) for k, v in fields}
            items = [self.convert(v, depth + 1) for v in value]
            if isinstance(value, collections.abc.Set) and not isinstance(
                value, (collections.abc.KeysView, collections.abc.ItemsView)
            ):
                # The order of a set depends on the process's hash seed.
                items.sort(
                    key=lambda v: (type(v).__name__, v if type(v) in (int, float) else 0, repr(v))
                )
            return items
        finally:
            self.inside.discard(id(value))


def _text(text):
    """`text` with lone surrogates, which UTF-8 cannot express, replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _integer(value):
    """Integers beyond 64 bits become decimal text, very long ones hexadecimal text."""
    if -(1 << 63) <= value < 1 << 64:
        return value
    return str(value) if value.bit_length() <= 8192 else hex(value)


def _key(key):
    if type(key) is str:
        return _text(key)
    if key is None:
        return "null"
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, enum.Enum):
        return _key(key.value)
    if isinstance(key, (bytes, bytearray, memoryview)):
        return bytes(key).hex()
    return _described(key)


def _described(value):
    """The words of an object, without the memory address that would differ from run to run."""
    try:
        words = str(value)
    except Exception:
        words = f"<{type(value).__qualname__} object>"
    return _text(re.sub(r" at 0x[0-9A-Fa-f]+", "", words)[:1000])


# --- Errors --------------------------------------------------------------------------------------


def describe_exception(error):
    """`(message, traceback)` of an adapter's exception; the frames of this file are left out."""
    frames = error.__traceback__
    while frames is not None and _is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    message = _text("".join(traceback.format_exception_only(type(error), error)[-1:]).strip())
    trace = _text("".join(traceback.format_exception(type(error), error, frames)))
    if len(trace) > 40_000:
        trace = trace[:20_000] + "\n  ...\n" + trace[-20_000:]
    return message, trace


def _is_ours(filename):
    return (
        filename == _HERE
        or filename.startswith("<frozen importlib")
        or filename == importlib.__file__
    )


# --- Loading -------------------------------------------------------------------------------------


class _Run:
    """What the adapters of one run share: modules, folders, seeded generators."""

    def __init__(self):
        self.modules = {}
        self.folders = []
        self.known = None
        self.seeded = False
        self.numpy_hook = None


_run = _Run()


def reset():
    """Ends a run: forgets its modules and folders, so that the next executes the files again."""
    global _run
    for folder in _run.folders:
        if folder in sys.path:
            sys.path.remove(folder)
    for name in list(sys.modules) if _run.known is not None else ():
        own = name.partition(".")[0] in ("drybox", "drywire")
        new = name not in _run.known and not own and _lies_in(sys.modules[name], _run.folders)
        if new or name in _run.modules:
            del sys.modules[name]
    if _run.numpy_hook in sys.meta_path:
        sys.meta_path.remove(_run.numpy_hook)
    _run = _Run()


def _lies_in(module, folders):
    """Whether `module` is source code from one of `folders`, not something installed."""
    path = getattr(module, "__file__", None)
    if not path or not path.endswith(".py") or "site-packages" in path or "dist-packages" in path:
        return False
    return any(os.path.abspath(path).startswith(os.path.join(folder, "")) for folder in folders)


def _seed_globals(seed):
    """Seeds `random` now, and numpy's global generator now or when it is imported."""
    random.seed(seed)
    words = [seed >> shift & 0xFFFFFFFF for shift in (0, 32, 64, 96)]
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(words)
    else:
        _run.numpy_hook = _SeedOnImport(words)
        sys.meta_path.insert(0, _run.numpy_hook)


class _SeedOnImport:
    """An import finder that seeds `numpy.random` right after it is imported."""

    def __init__(self, words):
        self.words = words

    def find_spec(self, name, path=None, target=None):
        if name != "numpy.random":
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:

                def exec_and_seed(module, execute=spec.loader.exec_module):
                    execute(module)
                    module.seed(self.words)

                spec.loader.exec_module = exec_and_seed
                return spec
        return None


def load(spec):
    """`(class or factory, module)` that the spec string names."""
    if spec.startswith(("entrypoint:", "pkg:")):
        return _load_entry_point(spec.partition(":")[2])
    place, colon, attribute = spec.rpartition(":")
    if not colon or attribute.endswith(".py") or os.sep in attribute:
        place, attribute = spec, ""
    attribute = attribute or "Adapter"
    if place.endswith(".py") or os.sep in place or "/" in place:
        module = _load_file(place)
    else:
        module = _load_module(place)
    found = module
    for part in attribute.split("."):
        found = getattr(found, part, None)
        if found is None:
            classes = [
                name
                for name, value in vars(module).items()
                if isinstance(value, type) and value.__module__ == module.__name__
            ]
            has = f"it defines {', '.join(classes)}" if classes else "it defines no class"
            raise LoadError(f"{place} has no {attribute}: {has}")
    return found, module


def _load_file(path):
    absolute = os.path.abspath(path)
    name = _module_name(absolute)
    if name in _run.modules:
        return _run.modules[name]
    try:
        with open(absolute, "rb") as file:
            source = file.read()
    except OSError as error:
        raise LoadError(f"cannot read {path}: {error.strerror}") from None
    folder = os.path.dirname(absolute)
    _make_way(folder)
    _put_on_path(folder)
    loader = importlib.machinery.SourceFileLoader(name, absolute)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_file_location(name, absolute, loader=loader)
    )
    sys.modules[name] = _run.modules[name] = module
    # Compiled here, not by the loader: a stale or fresh byte-code file must play no part in a run.
    try:
        exec(compile(source, absolute, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name], _run.modules[name]
        raise
    return module


def _module_name(absolute):
    """A module name that belongs to this path alone."""
    stem = re.sub(r"\W", "_", os.path.splitext(os.path.basename(absolute))[0])
    real = os.path.realpath(absolute)
    return f"drybox_adapter_{stem}_{hashlib.sha256(os.fsencode(real)).hexdigest()[:16]}"


def _load_module(name):
    _put_on_path(os.getcwd())
    if not all(part.isidentifier() for part in name.split(".")):
        raise LoadError(f"{name!r} is neither a .py file nor a module name")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Only the module itself or its package: what *it* fails to import is its own fault.
        if error.name is not None and (name + ".").startswith(error.name + "."):
            raise LoadError(f"there is no module {name} (missing: {error.name})") from None
        raise


def _load_entry_point(name):
    from importlib import metadata

    points = metadata.entry_points()
    if hasattr(points, "select"):
        group = list(points.select(group=ENTRY_POINT_GROUP))
    else:
        group = list(points.get(ENTRY_POINT_GROUP, ()))
    for point in group:
        if point.name == name:
            found = point.load()
            return found, sys.modules.get(point.value.partition(":")[0].strip())
    known = ", ".join(sorted({point.name for point in group})) or "none"
    raise LoadError(f"no entry point {name!r} in group {ENTRY_POINT_GROUP} (installed: {known})")


def _make_way(folder):
    """Forgets modules of other adapters' folders whose names `folder` has too.

    Each adapter keeps those that it imported, and the next one imports its own.
    """
    others = [other for other in _run.folders if other != folder]
    for name, module in list(sys.modules.items()):
        known = name in _run.modules or name in (_run.known or ())
        if known or not _lies_in(module, others):
            continue
        own = os.path.join(folder, name.partition(".")[0])
        if not _lies_in(module, [folder]) and (os.path.isfile(own + ".py") or os.path.isdir(own)):
            del sys.modules[name]


def _put_on_path(folder):
    if folder not in sys.path:
        sys.path.insert(0, folder)
        _run.folders.append(folder)


# --- Signatures ----------------------------------------------------------------------------------

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_TIME_NAMES = ("t_ms", "t")


def _parameters(function):
    """The parameters of a callable, or None where Python cannot tell."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def _adapted(function, name, mains, clock, spare=False):
    """`function` as a callable of exactly `mains` positional arguments.

    The function itself where its signature is the documented one. Otherwise a wrapper that also
    passes logical time to a parameter called `t_ms` or `t`, or else to the one required parameter
    too many, and (with `spare`) leaves out arguments that the function does not take.
    """
    parameters = _parameters(function)
    if parameters is None:
        return function
    slots = [p for p in parameters if p.kind in _POSITIONAL]
    rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    timed = [p for p in slots if p.name in _TIME_NAMES]
    free = [p for p in slots if p.name not in _TIME_NAMES]
    if len(free) < mains and not spare:
        # The SDU or the block must go somewhere, whatever the parameter is called.
        free, timed = slots, []
    passed = mains
    if len(free) < mains and not rest:
        if not spare:
            raise LoadError(f"{name}() takes no argument")
        passed = len(free)
    required = [p for p in free[passed:] if p.default is p.empty]
    keyword = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    timed += [p for p in keyword if p.name in _TIME_NAMES]
    required += [p for p in keyword if p.default is p.empty and p.name not in _TIME_NAMES]
    if len(required) == 1 and not timed:
        timed, required = required, []
    if required:
        raise LoadError(f"{name}() requires {required[0].name}, which DryBox does not pass")
    if not timed and passed == mains:
        return function
    main_names = [p.name for p in free[:passed]]
    order = [p.name for p in slots if p in timed or p.name in main_names]
    if passed == mains == 1 and order == [*main_names, timed[0].name] == [p.name for p in slots]:
        return lambda value: function(value, clock[0])
    if mains == 0 and len(slots) == 1 and len(timed) == 1:
        return lambda: function(clock[0])

    only = {p.name for p in parameters if p.kind is p.POSITIONAL_ONLY}

    def call(*values):
        given = dict(zip(main_names, values))
        given.update((p.name, clock[0]) for p in timed)
        leading = [given.pop(p.name) for p in slots if p.name in only and p.name in given]
        return function(*leading, **given)

    return call


def _accepts(function, count):
    """Whether `function` can be called with `count` positional arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        # No signature to be had, or a method without `self`.
        return not inspect.ismethod(function)
    return True


def _construct(factory, cfg):
    """Calls `factory()`, or with cfg if it names such a parameter or requires one."""
    parameters = _parameters(factory) or []
    for p in parameters:
        if p.name in ("cfg", "config") and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
            return factory(**{p.name: cfg})
    if any(p.kind in _POSITIONAL and p.default is p.empty for p in parameters):
        return factory(cfg)
    return factory()


# --- What an adapter is given --------------------------------------------------------------------


class Context(collections.abc.Mapping):
    """`ctx`: logical time, configuration, randomness, and the way to emit events.

    Its attributes can also be read as `ctx["rng"]`.
    """

    _KEYS = ("now_ms", "emit_event", "rng", "config", "side", "metrics")

    def __init__(self, cfg, clock, events, rng):
        self._clock = clock
        self._events = events
        self.rng = rng
        self.config = cfg
        self.side = cfg.get("side")
        self.metrics = _Metrics(self)

    def now_ms(self):
        """Current logical time in ms."""
        return self._clock[0]

    def emit_event(self, type=None, payload=None, *, typ=None, **_ignored):
        """Writes an event to `events.jsonl`. Time and side are DryBox's, whatever is passed."""
        kind = typ if type is None else type
        if kind is None:
            raise TypeError("emit_event() needs the event's type")
        self._events.append(
            (
                kind if kind.__class__ is str and kind.isascii() else _key(kind),
                {} if payload is None else plain(payload),
            )
        )

    def __getitem__(self, key):
        if key in self._KEYS:
            return getattr(self, key)
        raise KeyError(key)

    def __iter__(self):
        return iter(self._KEYS)

    def __len__(self):
        return len(self._KEYS)


class _Metrics:
    """`ctx["metrics"]`, the older way to emit: everything becomes an event."""

    def __init__(self, context):
        self._context = context

    def event(self, t_ms=None, side=None, type=None, payload=None, **more):
        self._context.emit_event(type, payload, **more)

    def metric(self, *values, t_ms=None, side=None, **fields):
        if values:
            fields["values"] = values
        self._context.emit_event("metric", fields)


# --- One adapter ---------------------------------------------------------------------------------


class Endpoint:
    """One side's adapter, loaded and constructed, with its callbacks resolved once.

    `adapter` is a spec string, a class or an object. `clock` is a list with one element, the
    logical time in ms, which the driver sets before each call. The first endpoint after `reset()`
    seeds the process's global generators with `python_seed`; `rng_seed` is that of `ctx.rng`.

    Callbacks, each a callable of fixed arity or None: `on_timer(t)`, `poll_link_tx(budget)`,
    `on_link_rx(sdu)`, `pull_tx_block()`, `push_rx_block(block)`, `is_handshake_complete()`,
    `send_sdu(sdu)`. `events` holds what was emitted as `(type, plain payload)`; the driver takes
    and clears it.
    """

    def __init__(self, adapter, cfg, clock, *, rng_seed=0, python_seed=0):
        if _run.known is None:
            _run.known = set(sys.modules)
        if not _run.seeded:
            _run.seeded = True
            _seed_globals(python_seed)
        self.cfg = cfg
        self.clock = clock
        self.events = []
        self.context = Context(cfg, clock, self.events, random.Random(rng_seed))
        self.remarks = []
        module = None
        if isinstance(adapter, str):
            adapter, module = load(adapter)
        made = isinstance(adapter, type) or inspect.isroutine(adapter)
        self.adapter = _construct(adapter, cfg) if made else adapter
        try:
            self._resolve(module)
        except BaseException:
            # What went wrong first is what the user must see.
            with contextlib.suppress(Exception):
                self.stop()
            raise

    def _resolve(self, module):
        clock = self.clock
        on_timer = self._find("on_timer")
        self.on_timer = None if on_timer is None else _timer(on_timer, clock)
        self.poll_link_tx = self._callback("poll_link_tx", 1, spare=True)
        self.on_link_rx = self._callback("on_link_rx", 1)
        self.pull_tx_block = self._callback("pull_tx_block", 0, ending="_tx_block")
        self.push_rx_block = self._callback("push_rx_block", 1, ending="_rx_block")
        self.is_handshake_complete = self._callback("is_handshake_complete", 0)
        self.send_sdu = self._callback("send_sdu", 1)
        self.capabilities = self._capabilities(module)
        mode = self.cfg.get("mode")
        if mode == "byte" and self.capabilities["bytelink"]:
            self._require("bytelink", "poll_link_tx", "on_link_rx")
        if mode == "audio" and self.capabilities["audioblock"]:
            self._require("audioblock", "pull_tx_block", "push_rx_block")

    def init(self, updates=None):
        """Completes cfg in place and calls `init(cfg)` where there is one."""
        self.cfg.update(updates or {})
        self._call_with("init", self.cfg)

    def start(self):
        """Calls `start(ctx)` where there is one."""
        self._call_with("start", self.context)

    def stop(self):
        """Calls `stop()`, or `close()`, where there is one."""
        function = self._find("stop") or self._find("close")
        if function is not None:
            function()

    def _call_with(self, name, value):
        function = self._find(name)
        if function is not None:
            function(value) if _accepts(function, 1) or not _accepts(function, 0) else function()

    def _find(self, name):
        function = getattr(self.adapter, name, None)
        if function is not None and not callable(function):
            raise LoadError(f"{name} is not callable but {type(function).__name__}")
        return function

    def _callback(self, name, mains, spare=False, ending=None):
        function = self._find(name)
        if function is None and ending is not None:
            for other in dir(self.adapter):
                if other.endswith(ending) and not other.startswith("_"):
                    function = self._find(other)
                    if function is not None:
                        self.remarks.append(f"{other}() stands in for {name}()")
                        name = other
                        break
        return None if function is None else _adapted(function, name, mains, self.clock, spare)

    def _require(self, mode, *names):
        for name in names:
            if getattr(self, name) is None:
                raise LoadError(f"the adapter announces {mode} but has no {name}()")

    def _capabilities(self, module):
        found = self._announced(module)
        byte = self.poll_link_tx is not None and self.on_link_rx is not None
        audio = self.pull_tx_block is not None and self.push_rx_block is not None
        announced = {}
        if found is None:
            self.remarks.append("no nade_capabilities(): the modes are judged by the methods")
        else:
            announced = found()
            if not isinstance(announced, collections.abc.Mapping):
                kind = type(announced).__name__
                raise ContractError(f"nade_capabilities() must return a dict, got {kind}")
            if announced.get("abi_version") is None:
                self.remarks.append("nade_capabilities() announces no abi_version")
        abi = announced.get("abi_version")
        if abi is not None and not isinstance(abi, str):
            abi = _described(abi)
        size = announced.get("sdu_max_bytes")
        size = DEFAULT_SDU_MAX_BYTES if size is None else _positive("sdu_max_bytes", size)
        audioparams = announced.get("audioparams")
        if audioparams is not None:
            if not isinstance(audioparams, collections.abc.Mapping):
                kind = type(audioparams).__name__
                raise ContractError(f"audioparams must be a dict with sr and block, got {kind}")
            audioparams = {
                "sr": _positive("audioparams.sr", audioparams.get("sr", 8000)),
                "block": _positive("audioparams.block", audioparams.get("block", BLOCK_SAMPLES)),
            }
        return {
            "abi_version": abi,
            "bytelink": _flag(announced, "bytelink", byte),
            "audioblock": _flag(announced, "audioblock", audio),
            "sdu_max_bytes": size,
            "audioparams": audioparams,
            "timer": self.on_timer is not None,
            "takes_messages": self.send_sdu is not None,
            "remarks": self.remarks,
        }

    def _announced(self, module):
        """`nade_capabilities` of the instance, the class or the module."""
        name = "nade_capabilities"
        kind = type(self.adapter)
        for owner in (self.adapter, kind, module, sys.modules.get(kind.__module__)):
            function = getattr(owner, name, None)
            if callable(function) and _accepts(function, 0):
                return function
        return None


def _timer(function, clock):
    """`on_timer` as a callable of one argument, the time."""
    slots = [p for p in _parameters(function) or () if p.kind in _POSITIONAL]
    if _accepts(function, 1) and (
        len(slots) == 1 or not any(p.name in _TIME_NAMES for p in slots[1:])
    ):
        return function
    call = _adapted(function, "on_timer", 0, clock)
    return lambda _t: call()


def _flag(announced, name, judged):
    value = announced.get(name)
    return judged if value is None else bool(value)


def _positive(name, value):
    try:
        number = int(value) if not isinstance(value, (bool, float, str)) else 0
    except (TypeError, ValueError):
        number = 0
    if not 0 < number < 1 << 32:
        raise ContractError(f"{name} must be a whole number above 0, got {_described(value)}")
    return number
