// Control packets in, bytes out. Fields the version does not know are left out.
#pragma once

#include <cstddef>
#include <string>

#include "broker/mqtt/packet.hpp"

namespace hf::mqtt {

/// Appends the packet to `out`. The caller owes a packet that may be sent: strings of at most
/// 65,535 bytes, a packet of at most packet_size_limit, AUTH only in 5.0 (asserted). A Connect is
/// written in its own version, whatever `version` says.
void encode(const Packet& packet, Version version, std::string& out);

/// The same without making a variant first.
void encode(const Connect& packet, Version version, std::string& out);
void encode(const Connack& packet, Version version, std::string& out);
void encode(const Publish& packet, Version version, std::string& out);
void encode(const Puback& packet, Version version, std::string& out);
void encode(const Pubrec& packet, Version version, std::string& out);
void encode(const Pubrel& packet, Version version, std::string& out);
void encode(const Pubcomp& packet, Version version, std::string& out);
void encode(const Subscribe& packet, Version version, std::string& out);
void encode(const Suback& packet, Version version, std::string& out);
void encode(const Unsubscribe& packet, Version version, std::string& out);
void encode(const Unsuback& packet, Version version, std::string& out);
void encode(const Pingreq& packet, Version version, std::string& out);
void encode(const Pingresp& packet, Version version, std::string& out);
void encode(const Disconnect& packet, Version version, std::string& out);
void encode(const Auth& packet, Version version, std::string& out);

/// Everything of a PUBLISH but its payload, whose length it accounts for: send `packet.payload`
/// right behind it, shared among all subscribers.
void encode_publish_header(const Publish& packet, Version version, std::string& out);

/// Bytes encode() would append, to hold against the peer's maximum packet size.
std::size_t encoded_size(const Packet& packet, Version version);
std::size_t encoded_size(const Publish& packet, Version version);

}  // namespace hf::mqtt
