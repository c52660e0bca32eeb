// Keys of rows: one letter for the kind, then what is named, in an order that means something.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/slot/state.hpp"

namespace hf::slot {

namespace keys {
inline void put(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU));
}
inline void put(std::string& out, const Dot& dot) {
  put(out, dot.origin.node, 4);
  put(out, dot.origin.boot, 4);
  put(out, dot.seq, 8);
}
inline void put(std::string& out, const Name& name) {
  put(out, name.identity ? 1U : 0U, 1);
  put(out, name.front ? 1U : 0U, 1);
  put(out, name.written ? 1U : 0U, 1);
  put(out, name.slot, 4);
  put(out, name.dot);
}
inline std::string of_client(char kind, std::string_view client) {
  std::string key(1, kind);
  key.append(client).push_back('\0');  // no client id contains U+0000 [MQTT-1.5.4-2]
  return key;
}

inline const std::string seen = "v";
inline std::string session(std::string_view client) {
  return std::string("s").append(client);
}
inline std::string subscription(std::string_view client, std::string_view filter) {
  return of_client('u', client).append(filter);
}
inline std::string entry(std::string_view client, const Name& name) {
  std::string key = of_client('e', client);
  put(key, name);
  return key;
}
inline std::string inbound(std::string_view client, const InboundKey& id) {
  std::string key = of_client('i', client);
  put(key, id.packet_id, 2);
  put(key, id.dot);
  return key;
}
inline std::string waiting_will(std::string_view client, const Dot& dot) {
  std::string key = of_client('l', client);
  put(key, dot);
  return key;
}
inline std::string message(const Dot& dot) {
  std::string key = "m";
  put(key, dot);
  return key;
}
inline std::string retained(std::string_view topic) {
  return std::string("r").append(topic);
}
inline std::string retired(const Name& name) {
  std::string key = "t";
  put(key, name);
  return key;
}

inline std::string will(const Dot& dot) {
  std::string key = "w";
  put(key, dot);
  return key;
}
inline std::string settled(const Name& name) {
  std::string key = "d";
  put(key, name);
  return key;
}

/// A key taken apart. Views of the key; what is not of its kind is empty.
struct Key {
  char kind;
  std::string_view client;
  std::string_view rest;
};
[[nodiscard]] std::optional<Key> parse(std::string_view key);
[[nodiscard]] std::optional<Dot> parse_dot(std::string_view in);
[[nodiscard]] std::optional<Name> parse_name(std::string_view in);
[[nodiscard]] std::optional<InboundKey> parse_inbound(std::string_view in);
}  // namespace keys

}  // namespace hf::slot
