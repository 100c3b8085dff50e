"""The users' document: every block of it runs, every signature in it is ours."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple, cast

import drywire
import pytest
import seigr_toolset_transmissions as package
from seigr_toolset_transmissions import (
    BinaryStreamEncoder,
    STCWrapper,
    StreamEncoder,
    STTFrame,
    STTHandshake,
    STTSession,
)
from seigr_toolset_transmissions.transport import UDPTransport, WebSocketTransport

DOCUMENT = Path(__file__).parents[2] / "docs" / "api" / "stt-api.md"
GUARD = 60.0
SEED, SHARED = bytes(range(32)), bytes(32)
STC = STCWrapper(SEED)


class Block(NamedTuple):
    section: str
    code: str


class Method(NamedTuple):
    section: str
    is_async: bool
    name: str
    parameters: str


def sections() -> Iterator[tuple[str, str]]:
    """The name that each section is about, and its text."""
    parts = re.split(r"^#{2,3} ([A-Za-z]+)$", DOCUMENT.read_text(encoding="utf-8"), flags=re.M)
    name = ""
    for heading, text in zip(parts[1::2], parts[2::2]):
        if heading not in ("Methods", "Properties"):
            name = heading
        yield name, text


BLOCKS = [
    Block(name, code)
    for name, text in sections()
    for code in re.findall(r"^```python\n(.*?)^```$", text, flags=re.M | re.S)
]
METHODS = [
    Method(name, bool(prefix), method, parameters)
    for name, text in sections()
    for prefix, method, parameters in re.findall(
        r"^\*\*`(async )?(\w+)\((.*?)\)(?: -> .*?)?`\*\*", text, flags=re.M
    )
]


def test_nothing_of_the_document_is_overlooked() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len(BLOCKS) == text.count("```python") == 15
    assert len(METHODS) == len(re.findall(r"^\*\*`", text, flags=re.M)) == 40
    assert {block.section for block in BLOCKS} == {
        "BinaryStreamEncoder",
        "BinaryStreamDecoder",
        "BinaryStorage",
        "EndpointManager",
        "EventEmitter",
        "FrameDispatcher",
        "STTNode",
        "STCWrapper",
        "STTFrame",
        "STTHandshake",
        "Chamber",
        "Serialization",
        "UDPTransport",
        "WebSocketTransport",
        "Streaming",
    }


def signature(text: str) -> ast.arguments | None:
    """The parameters that `text`, what stands in parentheses, declares; None if it is a call."""
    try:
        ast.parse(f"f({text})")
    except SyntaxError:
        definition = ast.parse(f"def f({text}): pass").body[0]
        assert isinstance(definition, ast.FunctionDef)
        return definition.args
    return None


def parameters(arguments: ast.arguments) -> list[tuple[str, str | None]]:
    """Each parameter with its default's text."""
    names = [argument.arg for argument in arguments.args]
    defaults = [ast.unparse(default) for default in arguments.defaults]
    missing: list[str | None] = [None] * (len(names) - len(defaults))
    return list(zip(names, [*missing, *defaults]))


def runnable(code: str) -> str:
    """The code with each declaration, `x = Class(a: int = 1)`, turned into a call, `Class(a=1)`."""
    out, rest = "", code
    while found := re.search(r"= (\w+)\(", rest):
        start = found.end()
        end, depth = start, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(rest[end], 0)
            end += 1
        inside = re.sub(r"#.*", "", rest[start : end - 1])
        declared = signature(inside)
        if declared:
            check(getattr(package, found[1]), parameters(declared))
            given = (f"{name}={default or name}" for name, default in parameters(declared))
            inside = ", ".join(given)
        out += f"{rest[:start]}{inside})"
        rest = rest[end:]
    return out + rest


def check(function: Callable[..., Any], documented: list[tuple[str, str | None]]) -> None:
    """The function takes these parameters, in this order, with these defaults."""
    ours = list(inspect.signature(function).parameters.values())
    ours = [parameter for parameter in ours if parameter.name != "self"]
    for parameter, (name, default) in zip(ours, documented):
        assert parameter.name == name
        assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        if default is not None:
            expected = eval(default, {"Path": Path})
            assert parameter.default == expected or (expected == b"" and not parameter.default)
    # Whatever we take beyond that can be left out.
    for parameter in ours[len(documented) :]:
        assert parameter.default is not inspect.Parameter.empty
    assert len(ours) >= len(documented)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m.section}.{m.name}")
def test_signatures(method: Method) -> None:
    function = getattr(getattr(package, method.section), method.name)
    declared = signature(method.parameters)
    check(function, parameters(declared) if declared else [])
    assert inspect.iscoroutinefunction(function) == method.is_async


def stubs() -> dict[str, ast.ClassDef]:
    """The classes of the compiled module, as its stub declares them."""
    path = Path(drywire.__file__).with_name("_native.pyi")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def annotation(section: str, name: str) -> str:
    """What our annotation says that `section.name` gives."""
    member = inspect.getattr_static(getattr(package, section), name)
    function = member.fget if isinstance(member, property) else member
    if annotations := getattr(function, "__annotations__", None):
        return cast("str", annotations["return"])
    for node in stubs()[section].body:
        if isinstance(node, ast.FunctionDef) and node.name == name and node.returns:
            return ast.unparse(node.returns)
    raise AssertionError(f"{section}.{name} has no annotation")


def spelled(text: str, section: str) -> str:
    """A type as the document and we would both write it; what a dict holds is left out."""

    def spell(node: ast.expr) -> str:
        if isinstance(node, ast.BinOp):
            return f"{spell(node.left)} | {spell(node.right)}"
        if not isinstance(node, ast.Subscript):
            word = ast.unparse(node)
            return {"Self": section, "Tuple": "tuple", "List": "list", "Dict": "dict"}.get(
                word, word
            )
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        outer, inside = spell(node.value), ", ".join(map(spell, inner))
        if outer == "Optional":
            return f"{inside} | None"
        return outer if outer == "dict" else f"{outer}[{inside}]"

    return spell(ast.parse(text, mode="eval").body)


RETURNS = [
    (name, method, result)
    for name, text in sections()
    for method, result in re.findall(
        r"^\*\*`(?:async )?(\w+)\(.*?\) -> (.*?)`\*\*", text, flags=re.M
    )
]


@pytest.mark.parametrize(("section", "name", "documented"), RETURNS)
def test_return_types(section: str, name: str, documented: str) -> None:
    assert spelled(annotation(section, name), section) == spelled(documented, section)


def test_return_types_are_all_seen() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len(RETURNS) == len(re.findall(r"^\*\*`.*\) -> ", text, flags=re.M)) > 25


def test_properties_of_sessions() -> None:
    text = "".join(part for name, part in sections() if name == "STTSession")
    named = re.findall(r"^- `(\w+)`: (\S+)", text, flags=re.M)
    assert [name for name, _ in named] == [
        "session_id",
        "peer_node_id",
        "session_key",
        "state",
        "stream_manager",
    ]
    for name, documented in named:
        assert isinstance(inspect.getattr_static(STTSession, name), property)
        ours = spelled(annotation("STTSession", name), "STTSession")
        assert ours == spelled(documented, "STTSession")


async def names_for(section: str, folder: Path) -> dict[str, Any]:
    """What the document's block leaves to the reader."""
    from pathlib import Path
    from typing import Literal, Optional, Union

    context = STC.create_stream_context(b"session!", 1)
    taken: list[Any] = []

    async def your_transport(segment: tuple[int, bytes]) -> None:
        number, encrypted = segment
        assert isinstance(number, int)
        assert isinstance(encrypted, bytes)
        taken.append(segment)

    async def handle(data: Any) -> None:
        taken.append(data)

    def handle_frame(data: Any) -> None:
        taken.append(data)

    segments = [segment async for segment in BinaryStreamEncoder(b"data", context)]
    return {
        "Literal": Literal,
        "Optional": Optional,
        "Path": Path,
        "Union": Union,
        "taken": taken,
        # Streams
        "data_source": b"any bytes" * 1000,
        "stc_context": context,
        "your_transport": your_transport,
        "encrypted_bytes": segments[0][1],
        "sequence_num": segments[0][0],
        "your_deserializer": bytes.decode,
        "session_id": b"session!",
        "stream_id": 1,
        "data": bytes(100_000),
        "send_chunk": taken.append,
        "encrypted_chunks": list(StreamEncoder(context).encode_bytes(b"in chunks")),
        # Storage
        "stc_wrapper": STC,
        "arbitrary_bytes": b"arbitrary",
        # Endpoints, events, frames
        "frame_bytes": b"frame",
        "sensor_bytes": b"sensor",
        "handle_temp": handle,
        "handle_frame": handle_frame,
        "handle_peer": handle,
        "handle_custom_handshake": handle,
        "handle_custom_data": handle_frame,
        "handle_custom_control": handle,
        # A block on frames declares the one and dispatches the other.
        "frame_type": 0x80,
        "frame_payload": b"payload",
        # Seeds and the like
        "seed": SEED,
        "node_seed": SEED,
        "shared_seed": SHARED,
        "node_id": STC.generate_node_id(b""),
        "sequence": 1,
        "chamber_path": folder / "chamber",
    }


async def run(block: Block, names: dict[str, Any]) -> dict[str, Any]:
    code = compile(
        runnable(block.code), str(DOCUMENT), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    )
    if (work := eval(code, names)) is not None:
        await work
    return names


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.section)
def test_blocks(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def go() -> None:
        names = await names_for(block.section, tmp_path)
        judge = JUDGES[block.section]
        async for _ in judge(names, block):
            await run(block, names)

    asyncio.run(asyncio.wait_for(go(), GUARD))


# Each prepares what its block still needs, lets it run, and judges what came of it.
Judge = Callable[[dict[str, Any], Block], AsyncIterator[None]]


async def encoder(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    decoder = package.BinaryStreamDecoder(names["stc_context"])
    for number, segment in names["taken"]:
        decoder.receive_segment(segment, number)
    assert await decoder.receive_all() == names["data_source"]


async def decoder(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    assert (names["decrypted"], names["your_data"]) == (b"data", "data")


async def storage(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    assert names["retrieved"] == b"arbitrary"
    assert Path(".storage").is_dir()
    assert await names["storage"].exists(names["hash_address"])


async def endpoints(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    assert names["data"] == b"frame"
    assert names["endpoint_mgr"].list_endpoints() == ["telemetry", "video_sink"]


async def events(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    assert names["taken"] == [{"temp": 95.3, "sensor": "cpu"}]


async def frames(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    assert names["taken"] == [b"payload"]


async def node(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    made = names["node"]
    host, port = await made.start()
    assert isinstance(host, str)
    assert port > 0
    assert isinstance(made.get_stats(), dict)
    await made.stop()


async def wrapper(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    assert names["stc"].hash_data(b"x") == STC.hash_data(b"x")


async def frame(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    made = names["frame"]
    made.encrypt_payload(STC)
    assert STTFrame.from_bytes(made.to_bytes(), True, STC).payload == b""


async def handshake(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    other = STCWrapper(bytes(32))
    peer = STTHandshake(other, SHARED, other.generate_node_id(b""))
    made = names["handshake"]
    key, peer_id = made.handle_response(peer.handle_hello(made.initiate_handshake()))
    assert (key, peer_id) == (peer.get_session_key(), peer.node_id)


async def chamber(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    made = names["chamber"]
    made.store_session("s", {"a": 1})
    assert made.retrieve_session("s") == {"a": 1}
    assert made.retrieve_key("none") is None


async def serialization(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    assert isinstance(names["binary"], bytes)
    assert names["data"] == {"key": "value", "num": 42}


async def udp(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    arrived: asyncio.Queue[Any] = asyncio.Queue()
    peer = UDPTransport(on_frame_received=lambda *given: arrived.put_nowait(given))
    host, port = await peer.start()
    names["frame"] = STTFrame(0x80, b"12345678", 1, 1, payload=b"over UDP")
    names |= {"peer_ip": "127.0.0.1", "peer_port": port, "callback": lambda *_: None}
    yield
    assert isinstance(host, str)
    received, address = await arrived.get()
    assert received == names["frame"]
    assert address[0] == "127.0.0.1"
    await names["udp"].stop()
    await peer.stop()


async def websocket(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    arrived: asyncio.Queue[Any] = asyncio.Queue()
    server = await WebSocketTransport.listen(
        "127.0.0.1", 0, on_frame_received=lambda *given: arrived.put_nowait(given)
    )
    names["frame"] = STTFrame(0x80, b"12345678", 1, 1, payload=b"over WebSocket")
    names |= {"host": "127.0.0.1", "port": server.port, "callback": lambda *_: None}
    yield
    received, *_ = await arrived.get()
    assert received == names["frame"]
    await server.close()


async def streaming(names: dict[str, Any], _: Block) -> AsyncIterator[None]:
    yield
    assert names["decrypted"] == b"in chunks"
    whole = names["decoder"].decode_to_bytes(names["taken"])
    assert whole == bytes(100_000)


JUDGES: dict[str, Judge] = {
    "BinaryStreamEncoder": encoder,
    "BinaryStreamDecoder": decoder,
    "BinaryStorage": storage,
    "EndpointManager": endpoints,
    "EventEmitter": events,
    "FrameDispatcher": frames,
    "STTNode": node,
    "STCWrapper": wrapper,
    "STTFrame": frame,
    "STTHandshake": handshake,
    "Chamber": chamber,
    "Serialization": serialization,
    "UDPTransport": udp,
    "WebSocketTransport": websocket,
    "Streaming": streaming,
}
