r"""st-protocol: the control wire of Drywire. A verb, an escaped payload, 0x00.

>>> from st_protocol import Frame
>>> Frame.ping().encode()
b'\x05\x00'
>>> frame = Frame.decode(Frame.scan("/home/hue", 3).encode())
>>> frame.verb.name, frame.payload.fields().lstr()
('SCAN', '/home/hue')
"""

from st_protocol._errors import (
    AddressError,
    DecodeError,
    EncodeError,
    FieldError,
    StProtocolError,
)
from st_protocol._frame import MAX_PAYLOAD_LEN, FieldReader, Frame, Payload, Verb, lbytes, lstr
from st_protocol._stream import Address, Decoder, Skipped

__all__ = [
    "MAX_PAYLOAD_LEN",
    "Address",
    "AddressError",
    "DecodeError",
    "Decoder",
    "EncodeError",
    "FieldError",
    "FieldReader",
    "Frame",
    "Payload",
    "Skipped",
    "StProtocolError",
    "Verb",
    "lbytes",
    "lstr",
]
