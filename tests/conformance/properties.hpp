// The properties of MQTT 5.0 and what a case calls them.
#pragma once

#include <cstdint>

namespace hf::conformance {

enum class Type { byte, two, four, varint, text, pair };
struct Property {
  std::uint8_t id;
  const char* name;
  Type type;
};
inline constexpr Property properties[] = {
    {0x01, "format", Type::byte},          {0x02, "expiry", Type::four},
    {0x03, "content", Type::text},         {0x08, "response", Type::text},
    {0x09, "correlation", Type::text},     {0x0B, "subid", Type::varint},
    {0x11, "session_expiry", Type::four},  {0x12, "assigned", Type::text},
    {0x13, "server_keepalive", Type::two}, {0x15, "method", Type::text},
    {0x16, "data", Type::text},            {0x17, "problem_info", Type::byte},
    {0x18, "delay", Type::four},           {0x19, "request_response", Type::byte},
    {0x1A, "response_info", Type::text},   {0x1C, "server_ref", Type::text},
    {0x1F, "reason_string", Type::text},   {0x21, "receive_max", Type::two},
    {0x22, "alias_max", Type::two},        {0x23, "alias", Type::two},
    {0x24, "max_qos", Type::byte},         {0x25, "retain_available", Type::byte},
    {0x26, "user", Type::pair},            {0x27, "max_packet", Type::four},
    {0x28, "wildcard_available", Type::byte}, {0x29, "subid_available", Type::byte},
    {0x2A, "shared_available", Type::byte}};

}  // namespace hf::conformance
