// Parsed by Boost.Beast; every refusal is an HTTP answer, after which the connection ends.
#include "broker/wrapping/websocket_upgrade.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <openssl/evp.h>

namespace hf::wrapping {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t header_max = 8192;
constexpr std::string_view key_suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3

/// The base64 form of 16 bytes.
bool valid_key(std::string_view key) {
  if (key.size() != 24 || key.substr(22) != "==") return false;
  return std::all_of(key.begin(), key.begin() + 22, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '/';
  });
}

/// Which of the offered subprotocols is ours [MQTT-6.0.0-3, -4]; MQTT.js and others offer the older name for 3.1.
std::string_view subprotocol(std::string_view offered) {
  std::string_view found;
  for (const auto& token : http::token_list{{offered.data(), offered.size()}}) {
    if (token == "mqtt") return "mqtt";
    if (token == "mqttv3.1") found = "mqttv3.1";
  }
  return found;
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + std::string(key_suffix);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return {encoded.begin(), encoded.begin() + length};
}

WebSocketUpgrade::State WebSocketUpgrade::receive(std::string_view bytes, std::string& down) {
  // Where the header's end may begin: looked for once in each byte.
  const std::size_t from = held_.size() < 3 ? 0 : held_.size() - 3;
  held_ += bytes;
  if (held_.empty()) return State::reading;
  const std::size_t end = held_.find("\r\n\r\n", from);
  header_size_ = end == std::string::npos ? held_.size() : end + 4;
  if (header_size_ > header_max) {
    return refuse("431 Request Header Fields Too Large", "", "a header of more than 8 KiB", down);
  }
  // MQTT or TLS on this port: no use in waiting for the end of a line.
  if (held_[0] < 'A' || held_[0] > 'Z') return refuse("400 Bad Request", "", "no HTTP", down);
  if (end == std::string::npos) return State::reading;
  return answer(down);
}

WebSocketUpgrade::State WebSocketUpgrade::answer(std::string& down) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(header_max);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(held_.data(), header_size_), error);
  if (error || !parser.is_header_done()) {
    return refuse("400 Bad Request", "", "no HTTP: " + error.message(), down);
  }
  const auto& request = parser.get();
  if (request.method() != http::verb::get) {
    return refuse("405 Method Not Allowed", "Allow: GET\r\n", "a method that is not GET", down);
  }
  if (request.version() != 11) return refuse("400 Bad Request", "", "a version of HTTP that is not 1.1", down);
  if (!parser.is_done()) return refuse("400 Bad Request", "", "a request with a body", down);
  const std::string_view target = view(request.target());
  if (target.substr(0, target.find('?')) != path_) return refuse("404 Not Found", "", "another path", down);
  if (!http::token_list{request[http::field::connection]}.exists("upgrade") ||
      !http::token_list{request[http::field::upgrade]}.exists("websocket")) {
    return refuse("426 Upgrade Required", "Upgrade: websocket\r\n", "no upgrade to WebSocket", down);
  }
  if (request[http::field::sec_websocket_version] != "13") {
    return refuse("426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
                  "a version of WebSocket that is not 13", down);
  }
  const std::string_view key = view(request[http::field::sec_websocket_key]);
  if (!valid_key(key)) return refuse("400 Bad Request", "", "no valid Sec-WebSocket-Key", down);
  // The field may be there more than once, and is then one list.
  std::string offered;
  const auto [first, last] = request.equal_range(http::field::sec_websocket_protocol);
  for (auto each = first; each != last; ++each) {
    offered += (offered.empty() ? "" : ", ") + std::string(view(each->value()));
  }
  const std::string_view protocol = subprotocol(offered);
  if (protocol.empty()) return refuse("400 Bad Request", "", "no subprotocol mqtt", down);
  down += "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
          websocket_accept(key) + "\r\nSec-WebSocket-Protocol: " + std::string(protocol) + "\r\n\r\n";
  return State::upgraded;
}

WebSocketUpgrade::State WebSocketUpgrade::refuse(std::string_view status, std::string_view more, std::string why,
                                                 std::string& down) {
  why_ = std::move(why);
  down += "HTTP/1.1 " + std::string(status) + "\r\nConnection: close\r\nContent-Length: 0\r\n" + std::string(more) + "\r\n";
  return State::refused;
}

}  // namespace hf::wrapping
