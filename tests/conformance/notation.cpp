// Words to bytes and back, from the tables of the specifications.
#include "tests/conformance/notation.hpp"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "tests/conformance/properties.hpp"

namespace hf::conformance {
namespace {

constexpr const char* types[] = {"", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
                                 "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP",
                                 "DISCONNECT", "AUTH"};

[[noreturn]] void bad(const std::string& what) { throw std::invalid_argument(what); }

std::size_t to_number(const std::string& text) {
  std::size_t used = 0;
  const std::size_t value = std::stoul(text, &used, text.rfind("0x", 0) == 0 ? 16 : 10);
  if (used != text.size()) bad("\"" + text + "\" is no number");
  return value;
}

std::string big_endian(std::size_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  return out;
}

std::string varint(std::size_t value) {
  std::string out;
  do {
    out.push_back(static_cast<char>((value & 0x7F) | (value > 0x7F ? 0x80 : 0)));
    value >>= 7;
  } while (value != 0);
  return out;
}

std::string text(std::string_view value) { return big_endian(value.size(), 2) + std::string(value); }

std::string unhex(std::string_view hex) {
  std::string out;
  std::string digits;
  for (const char c : hex)
    if (c != ' ') digits.push_back(c);
  if (digits.size() % 2 != 0) bad("odd number of hex digits in " + std::string(hex));
  for (std::size_t i = 0; i < digits.size(); i += 2)
    out.push_back(static_cast<char>(to_number("0x" + digits.substr(i, 2))));
  return out;
}

std::string hex_byte(std::uint8_t byte) {
  constexpr const char* digits = "0123456789abcdef";
  return std::string("0x") + digits[byte >> 4U] + digits[byte & 15U];
}

/// {} is the key, {text*N} a repetition, %HH a byte.
std::string resolve(std::string_view value, std::string_view key) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '%') {
      if (i + 2 >= value.size()) bad("% needs two hex digits");
      out += unhex(value.substr(i + 1, 2));
      i += 2;
    } else if (value[i] == '{') {
      const auto end = value.find('}', i);
      if (end == std::string_view::npos) bad("{ without }");
      const auto inside = value.substr(i + 1, end - i - 1);
      const auto star = inside.find('*');
      if (inside.empty()) {
        out += key;
      } else if (star == std::string_view::npos) {
        bad("{" + std::string(inside) + "}: neither {} nor {text*N}");
      } else {
        const std::string piece = resolve(inside.substr(0, star), key);
        for (std::size_t n = to_number(std::string(inside.substr(star + 1))); n > 0; --n) out += piece;
      }
      i = end;
    } else {
      out.push_back(value[i]);
    }
  }
  return out;
}

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value.substr(0, 200)) {
    if (c > ' ' && c < 0x7F && c != '%' && c != '{' && c != '}')
      out.push_back(c);
    else
      out += "%" + hex_byte(static_cast<std::uint8_t>(c)).substr(2);
  }
  return value.size() > 200 ? out + "…(" + std::to_string(value.size()) + " bytes)" : out;
}

std::string property_bytes(const Property& property, const std::string& value) {
  const std::string id(1, static_cast<char>(property.id));
  switch (property.type) {
    case Type::byte: return id + big_endian(to_number(value), 1);
    case Type::two: return id + big_endian(to_number(value), 2);
    case Type::four: return id + big_endian(to_number(value), 4);
    case Type::varint: return id + varint(to_number(value));
    case Type::text: return id + text(value);
    case Type::pair: break;
  }
  const auto colon = value.find(':');
  if (colon == std::string::npos) bad("user=KEY:VALUE");
  return id + text(value.substr(0, colon)) + text(value.substr(colon + 1));
}

/// The property section out of the fields that begin with `prefix`.
std::string property_list(const Words& words, int level, const std::string& prefix = "") {
  if (level < 5 || words.has(prefix + "noprops")) return "";
  std::string out;
  for (const Field& field : words.fields) {
    if (field.name.rfind(prefix, 0) != 0) continue;
    const std::string name = field.name.substr(prefix.size());
    if (name == "prop") out += unhex(field.value);
    for (const Property& property : properties)
      if (name == property.name) out += property_bytes(property, field.value);
  }
  if (const auto* length = words.find(prefix + "proplen")) return unhex(*length) + out;
  return varint(out.size()) + out;
}

bool has_properties(const Words& words) {
  for (const Field& field : words.fields) {
    if (field.name == "prop" || field.name == "proplen") return true;
    for (const Property& property : properties)
      if (field.name == property.name) return true;
  }
  return false;
}

std::string connect_body(const Words& words, int level) {
  const bool will = words.has("will");
  std::size_t flags = words.number("clean", 1) << 1U;
  if (will) flags |= 4U | words.number("will_qos", 0) << 3U | words.number("will_retain", 0) << 5U;
  if (words.has("username")) flags |= 0x80U;
  if (words.has("password")) flags |= 0x40U;
  std::string out = text(words.value("proto", level == 3 ? "MQIsdp" : "MQTT"));
  out += big_endian(words.number("level", static_cast<std::size_t>(level)), 1);
  out += big_endian(words.number("flags", flags), 1) + big_endian(words.number("keepalive", 0), 2);
  out += property_list(words, level) + text(words.value("id", ""));
  if (will) out += property_list(words, level, "will.") + text(words.value("will", "")) + text(words.value("will_payload", ""));
  if (words.has("username")) out += text(words.value("username", ""));
  if (words.has("password")) out += text(words.value("password", ""));
  return out;
}

/// filter=… begins a filter; qos, nl, rap, rh, options behind it are its own.
std::string filters(const Words& words, bool subscribe) {
  std::string out;
  bool open = false;
  std::size_t options = 0;
  const auto finish = [&] {
    if (open && subscribe) out += big_endian(options, 1);
    options = 0;
  };
  for (const Field& field : words.fields) {
    if (field.name == "filter") {
      finish();
      open = true;
      out += text(field.value);
    }
    if (field.name == "qos") options |= to_number(field.value);
    if (field.name == "nl") options |= to_number(field.value) << 2U;
    if (field.name == "rap") options |= to_number(field.value) << 3U;
    if (field.name == "rh") options |= to_number(field.value) << 4U;
    if (field.name == "options") options = to_number(field.value);
  }
  finish();
  return out;
}

std::string body_of(std::size_t type, const Words& words, int level) {
  const std::string id = big_endian(words.number("pid", 0), 2);
  const auto with_reason = [&](std::size_t none) {
    const bool properties_too = has_properties(words);
    if (level < 5 || (!words.has("reason") && !properties_too)) return std::string();
    std::string out = big_endian(words.number("reason", none), 1);
    if (properties_too) out += property_list(words, level);
    return out;
  };
  switch (type) {
    case 1: return connect_body(words, level);
    case 3: {
      std::string out = text(words.value("topic", ""));
      if (words.number("qos", 0) != 0) out += id;
      return out + property_list(words, level) + words.value("payload", "");
    }
    case 4: case 5: case 6: case 7: return id + with_reason(0);
    case 8: return id + property_list(words, level) + filters(words, true);
    case 10: return id + property_list(words, level) + filters(words, false);
    case 12: case 13: return "";
    case 14: return with_reason(0);
    case 15: return words.has("empty") ? "" : big_endian(words.number("reason", 0), 1) + property_list(words, level);
    case 2: return big_endian(words.number("present", 0), 1) + big_endian(words.number("reason", 0), 1) + property_list(words, level);
    default: return id + property_list(words, level) + unhex(words.value("codes", ""));
  }
}

/// Reads a packet's body from its front.
struct Body {
  std::string_view left;
  std::size_t number(std::size_t bytes) {
    if (left.size() < bytes) bad("the packet is cut short");
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8U | static_cast<std::uint8_t>(left[i]);
    left.remove_prefix(bytes);
    return value;
  }
  std::size_t variable() {
    std::size_t value = 0;
    for (unsigned i = 0; i < 4; ++i) {
      const std::size_t byte = number(1);
      value |= (byte & 0x7F) << (7 * i);
      if (byte < 0x80) return value;
    }
    bad("a variable byte integer of more than four bytes");
  }
  std::string take(std::size_t bytes) {
    if (left.size() < bytes) bad("the packet is cut short");
    std::string out(left.substr(0, bytes));
    left.remove_prefix(bytes);
    return out;
  }
  std::string text() { return take(number(2)); }
};

void read_properties(Body& body, Words& out) {
  Body list{body.left};
  const std::size_t size = list.variable();
  body.left = list.left;
  const std::string kept = body.take(size);
  list.left = kept;
  while (!list.left.empty()) {
    const std::size_t id = list.number(1);
    const auto* property = std::find_if(std::begin(properties), std::end(properties), [&](const Property& p) { return p.id == id; });
    if (property == std::end(properties)) bad("property " + std::to_string(id) + " does not exist");
    std::string value;
    switch (property->type) {
      case Type::byte: value = std::to_string(list.number(1)); break;
      case Type::two: value = std::to_string(list.number(2)); break;
      case Type::four: value = std::to_string(list.number(4)); break;
      case Type::varint: value = std::to_string(list.variable()); break;
      case Type::text: value = list.text(); break;
      case Type::pair: value = list.text(); value += ":" + list.text(); break;
    }
    if (property->type != Type::pair && id != 0x0B && out.has(property->name)) bad(std::string(property->name) + " is there twice");
    out.fields.push_back({property->name, value});
  }
}

Words decode(std::uint8_t first, std::string_view bytes, int level) {
  const std::uint8_t type = first >> 4U;
  const std::uint8_t flags = first & 15U;
  Body body{bytes};
  Words out;
  out.name = types[type];
  const bool v5 = level >= 5;
  const auto add = [&](const char* name, std::string value) { out.fields.push_back({name, std::move(value)}); };
  const auto reason = [&] { add("reason", hex_byte(static_cast<std::uint8_t>(body.number(1)))); };
  if (type != 3 && flags != (type == 6 ? 2 : 0)) bad(out.name + ": reserved flags " + hex_byte(first));
  switch (type) {
    case 2: {
      const std::size_t acknowledge_flags = body.number(1);
      if (acknowledge_flags > 1) bad("CONNACK: reserved flags");
      add("present", std::to_string(acknowledge_flags));
      reason();
      break;
    }
    case 3:
      add("qos", std::to_string(flags >> 1U & 3U));
      add("dup", std::to_string(flags >> 3U));
      add("retain", std::to_string(flags & 1U));
      add("topic", body.text());
      if ((flags & 6U) != 0) add("pid", std::to_string(body.number(2)));
      break;
    case 4: case 5: case 6: case 7:
      add("pid", std::to_string(body.number(2)));
      if (v5 && !body.left.empty()) reason();
      break;
    case 9: case 11: add("pid", std::to_string(body.number(2))); break;
    case 13: break;
    case 14: if (!v5) bad("DISCONNECT from a server in MQTT 3.1.1"); [[fallthrough]];
    case 15: if (!body.left.empty()) reason(); break;
    default: bad("no server sends " + out.name + " (" + hex_byte(first) + ")");
  }
  const bool optional_list = type == 4 || type == 5 || type == 6 || type == 7 || type == 14 || type == 15;
  if (v5 && type != 13 && (!optional_list || !body.left.empty())) read_properties(body, out);
  if (type == 3) add("payload", body.take(body.left.size()));
  if (type == 9 || type == 11) {
    std::string codes;
    while (!body.left.empty()) codes += (codes.empty() ? "" : ",") + hex_byte(static_cast<std::uint8_t>(body.number(1)));
    add("codes", codes);
  }
  if (!body.left.empty()) bad(out.name + ": bytes behind the packet");
  if (out.value("pid", "1") == "0") bad(out.name + ": packet id 0");
  return out;
}

}  // namespace

const std::string* Words::find(std::string_view field) const {
  for (const Field& each : fields)
    if (each.name == field) return &each.value;
  return nullptr;
}
std::string Words::value(std::string_view field, std::string_view otherwise) const {
  const auto* found = find(field);
  return found == nullptr ? std::string(otherwise) : *found;
}
std::size_t Words::number(std::string_view field, std::size_t otherwise) const {
  const auto* found = find(field);
  return found == nullptr ? otherwise : to_number(*found);
}

Words read_words(std::string_view line, std::string_view key) {
  Words out;
  if (line.rfind("HEX ", 0) == 0) return {"HEX", {{"bytes", unhex(line.substr(4))}}, false};
  std::size_t at = 0;
  while (at < line.size()) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    const std::string_view word = line.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    const auto equals = word.find('=');
    if (out.name.empty())
      out.name = word;
    else if (word == "...")
      out.more = true;
    else if (equals == std::string_view::npos)
      out.fields.push_back({std::string(word), ""});
    else
      out.fields.push_back({std::string(word.substr(0, equals)), resolve(word.substr(equals + 1), key)});
  }
  return out;
}

std::string write_words(const Words& words) {
  std::string out = words.name;
  for (const Field& field : words.fields) out += " " + field.name + "=" + escaped(field.value);
  return out;
}

std::string encode(const Words& words, int level) {
  if (words.name == "HEX") return words.value("bytes", "");
  const auto* found = std::find(std::begin(types), std::end(types), words.name);
  if (found == std::end(types) || words.name.empty()) bad("no packet is called \"" + words.name + "\"");
  const auto type = static_cast<std::size_t>(found - std::begin(types));
  std::size_t flags = type == 6 || type == 8 || type == 10 ? 2 : 0;
  if (type == 3) flags = words.number("dup", 0) << 3U | words.number("qos", 0) << 1U | words.number("retain", 0);
  std::string body = body_of(type, words, level);
  body += unhex(words.value("tail", ""));
  const std::size_t cut = words.number("cut", 0);
  if (words.has("shorten")) body.resize(body.size() - words.number("shorten", 0));  // the length shrinks with it
  std::string out = big_endian(words.number("first", type << 4U | flags), 1);
  out += words.has("remaining") ? unhex(words.value("remaining", "")) : varint(body.size());
  out += body;
  out.resize(out.size() - cut);  // the length still promises it
  return out;
}

std::optional<Words> take_packet(std::string& bytes, int level) {
  if (bytes.size() < 2) return std::nullopt;
  std::size_t length = 0;
  std::size_t at = 1;
  for (unsigned shift = 0;; shift += 7) {
    if (at == bytes.size()) return std::nullopt;
    if (shift > 21) bad("a remaining length of more than four bytes");
    const auto byte = static_cast<std::uint8_t>(bytes[at++]);
    length |= std::size_t{byte & 0x7FU} << shift;
    if (byte < 0x80) break;
  }
  if (bytes.size() < at + length) return std::nullopt;
  Words out = decode(static_cast<std::uint8_t>(bytes[0]), std::string_view(bytes).substr(at, length), level);
  bytes.erase(0, at + length);
  return out;
}

}  // namespace hf::conformance
