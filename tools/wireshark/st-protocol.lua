-- Wireshark dissector for st-protocol, the control wire of Drywire (docs/spec/st-protocol.md).
--
-- Use: put this file into Wireshark's personal plugin folder, or start `tshark -X lua_script:st-protocol.lua`.
-- It is found by "Decode As" on any TCP port, and by default on the port of its preference (0: none).
-- Frames are put together across segments; a payload is shown unescaped, field by field where its verb has fields.

local st = Proto("stproto", "st-protocol")

local VERBS = {
  [0x01] = "SCAN", [0x02] = "FORMAT", [0x03] = "SEARCH", [0x04] = "END_STREAM", [0x05] = "PING", [0x06] = "OK",
  [0x07] = "ALERT", [0x08] = "BACK", [0x09] = "CONTEXT", [0x0A] = "NEXT", [0x0B] = "STATS", [0x0C] = "CLEAR",
  [0x0D] = "COMPLETE", [0x0E] = "AUTH_START", [0x0F] = "AUTH_END", [0x10] = "AUDIO", [0x11] = "PERMIT",
  [0x12] = "DENY", [0x13] = "ELEVATE", [0x14] = "AUDIT", [0x15] = "ERROR", [0x16] = "SUBSCRIBE",
  [0x17] = "UNSUBSCRIBE", [0x18] = "CANCEL", [0x19] = "M8_WAVE", [0x1A] = "REMEMBER", [0x1C] = "RECALL",
  [0x1D] = "FORGET", [0x1E] = "SESSION", [0x1F] = "USER",
}
local LEVELS = { [0] = "none", [1] = "session", [2] = "FIDO", [3] = "FIDO + PIN" }
local END, ESC, MAX_PAYLOAD = 0x00, 0x1B, 65535

local f = {
  verb = ProtoField.uint8("stproto.verb", "Verb", base.HEX, VERBS),
  payload = ProtoField.bytes("stproto.payload", "Payload, unescaped"),
  text = ProtoField.string("stproto.text", "Text"),
  path = ProtoField.string("stproto.path", "Path"),
  pattern = ProtoField.string("stproto.pattern", "Pattern"),
  mode = ProtoField.string("stproto.mode", "Mode"),
  depth = ProtoField.uint8("stproto.depth", "Depth"),
  max = ProtoField.uint8("stproto.max_results", "At most"),
  content = ProtoField.string("stproto.content", "Content"),
  keywords = ProtoField.string("stproto.keywords", "Keywords"),
  kind = ProtoField.string("stproto.kind", "Kind"),
  valence = ProtoField.uint8("stproto.valence", "Valence"),
  arousal = ProtoField.uint8("stproto.arousal", "Arousal"),
  level = ProtoField.uint8("stproto.auth.level", "Level", base.DEC, LEVELS),
  session = ProtoField.bytes("stproto.auth.session", "Session"),
  counter = ProtoField.uint64("stproto.auth.counter", "Counter"),
  signature = ProtoField.bytes("stproto.auth.signature", "Signature"),
  inner = ProtoField.uint8("stproto.auth.verb", "Inner verb", base.HEX, VERBS),
}
st.fields = f

local wrong = ProtoExpert.new("stproto.wrong", "Not a frame", expert.group.MALFORMED, expert.severity.ERROR)
st.experts = { wrong }
st.prefs.port = Pref.uint("TCP port", 0, "0: use Decode As")

-- Looks for the END of the frame that starts at `from`. Returns its length and the length of its payload unescaped; or
-- nil, when more is needed; or false and what is wrong, with the length up to there.
local function frame_length(bytes, from)
  local first = bytes:get_index(from)
  if first == END then return false, "END where a verb should be", 1 end
  if first == ESC then return false, "ESCAPE as a verb", 1 end
  if first > 0x1F then return false, string.format("unknown verb 0x%02x", first), 1 end
  local at, count, size = from + 1, 0, bytes:len()
  while at < size do
    local byte = bytes:get_index(at)
    if byte == END then return at - from + 1, count end
    count = count + 1
    if count > MAX_PAYLOAD then return false, "payload over 65535 bytes", at - from + 1 end
    if byte == ESC then
      at = at + 1
      if at >= size then return nil end
      byte = bytes:get_index(at)
      if byte ~= END and byte ~= ESC then return false, "invalid escape", at - from + 1 end
    end
    at = at + 1
  end
  return nil
end

-- The payload of a frame of `length` bytes at `from`, unescaped, as a view of its own.
local function unescape(bytes, from, length, count)
  local out = ByteArray.new()
  out:set_size(count)
  local at, to = from + 1, 0
  while to < count do
    local byte = bytes:get_index(at)
    if byte == ESC then
      at = at + 1
      byte = bytes:get_index(at)
    end
    out:set_index(to, byte)
    at, to = at + 1, to + 1
  end
  return out:tvb("st-protocol payload")
end

-- Whether bytes `from` to `to` (not included) of a view are UTF-8: no overlong form, no surrogate, nothing over U+10FFFF.
local function is_utf8(view, from, to)
  local bytes = view:bytes()
  while from < to do
    local first = bytes:get_index(from)
    local more, low, high = 0, 0x80, 0xBF
    if first >= 0x80 then
      if first >= 0xC2 and first <= 0xDF then more = 1
      elseif first >= 0xE0 and first <= 0xEF then
        more = 2
        if first == 0xE0 then low = 0xA0 elseif first == 0xED then high = 0x9F end
      elseif first >= 0xF0 and first <= 0xF4 then
        more = 3
        if first == 0xF0 then low = 0x90 elseif first == 0xF4 then high = 0x8F end
      else return false end
    end
    if from + more >= to then return false end
    for i = 1, more do
      local byte = bytes:get_index(from + i)
      if byte < low or byte > high then return false end
      low, high = 0x80, 0xBF
    end
    from = from + 1 + more
  end
  return true
end

-- A length-prefixed field at `at`: where its bytes start and how many there are; nil if there is none.
local function lstr(view, at)
  if at >= view:len() then return nil end
  local prefix = view(at, 1):uint()
  local head, len = 1, prefix - 0x80
  if prefix < 0x80 then return nil end
  if prefix == 0xFF then
    if at + 3 > view:len() then return nil end
    head, len = 3, view(at + 1, 2):le_uint()
    if len < 127 then return nil end
  end
  if at + head + len > view:len() then return nil end
  return at + head, len
end

local LONG = {
  [0x01] = { f.path, f.depth },
  [0x02] = { f.mode, f.path, f.depth },
  [0x03] = { f.path, f.pattern, f.max },
  [0x1A] = { f.content, f.keywords, f.kind, f.valence, f.arousal },
  [0x1C] = { f.keywords, f.max },
}
local SHORT = { [0x02] = f.mode, [0x03] = f.pattern, [0x15] = f.text, [0x1D] = f.text }
local IS_TEXT = { [f.path] = true, [f.pattern] = true, [f.mode] = true, [f.content] = true, [f.keywords] = true, [f.kind] = true }

-- Adds the fields of a payload, nil for an empty one; false if they are not those of the verb.
local function add_fields(verb, view, tree)
  local layout, size = LONG[verb], view and view:len() or 0
  -- Section 4.5: a text throughout is the short form.
  if SHORT[verb] and (size == 0 or is_utf8(view, 0, size)) then
    if size > 0 then tree:add(SHORT[verb], view(), view():string(ENC_UTF_8)) end
    return true
  end
  if layout == nil then return SHORT[verb] == nil end
  if size == 0 then return false end
  local at, spans = 0, {}
  for i, field in ipairs(layout) do
    if IS_TEXT[field] then
      local start, len = lstr(view, at)
      if not start or not is_utf8(view, start, start + len) then return false end
      spans[i] = { field, start, len }
      at = start + len
    else
      if at >= size then return false end
      spans[i] = { field, at, 1 }
      at = at + 1
    end
  end
  if at ~= size then return false end
  for _, span in ipairs(spans) do
    local field, start, len = span[1], span[2], span[3]
    if len == 0 then
      tree:add(field, "")
    elseif IS_TEXT[field] then
      tree:add(field, view(start, len), view(start, len):string(ENC_UTF_8))
    else
      tree:add(field, view(start, len))
    end
  end
  return true
end

local function add_auth(view, tree)
  if view == nil or view:len() < 91 or view(89, 1):uint() ~= 0x0F or view(0, 1):uint() > 3 then return false end
  tree:add(f.level, view(0, 1))
  tree:add(f.session, view(1, 16))
  tree:add_le(f.counter, view(17, 8))
  tree:add(f.signature, view(25, 64))
  local verb = view(90, 1):uint()
  tree:add(f.inner, view(90, 1))
  -- Any verb may be inside but the two that make the block.
  if VERBS[verb] == nil or verb == 0x0E or verb == 0x0F then return false end
  local inner
  if view:len() > 91 then
    inner = view(91):bytes():tvb("st-protocol inner payload")
    tree:add(f.payload, inner())
  end
  return add_fields(verb, inner, tree)
end

function st.dissector(tvb, pinfo, root)
  local bytes = tvb:range():bytes()
  local at, names = 0, {}
  pinfo.cols.protocol = "st-protocol"
  while at < bytes:len() do
    local length, count, bad = frame_length(bytes, at)
    if length == nil then
      -- The rest of this frame is in a later segment.
      pinfo.desegment_offset = at
      pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
      break
    end
    if length == false then
      local tree = root:add(st, tvb(at, bad))
      tree:add_tvb_expert_info(wrong, tvb(at, bad), count)
      names[#names + 1] = "[" .. count .. "]"
      break
    end
    local verb = bytes:get_index(at)
    local tree = root:add(st, tvb(at, length), "st-protocol " .. VERBS[verb])
    tree:add(f.verb, tvb(at, 1))
    local view
    if count > 0 then
      view = unescape(bytes, at, length, count)
      tree:add(f.payload, view())
    end
    local ok
    if verb == 0x0E then ok = add_auth(view, tree) else ok = add_fields(verb, view, tree) end
    if not ok then tree:add_tvb_expert_info(wrong, tvb(at, length), "payload is not as its verb has it") end
    names[#names + 1] = VERBS[verb]
    at = at + length
  end
  if #names > 0 then pinfo.cols.info = table.concat(names, ", ") end
end

local tcp = DissectorTable.get("tcp.port")
local current = 0
function st.init()
  if current ~= st.prefs.port then
    if current ~= 0 then tcp:remove(current, st) end
    current = st.prefs.port
    if current ~= 0 then tcp:add(current, st) end
  end
end
tcp:add_for_decode_as(st)
