// All that stands between a socket and its handler, stacked.
#include "broker/wrapping/wrapping.hpp"

#include <utility>

#include "broker/base/assert.hpp"
#include "broker/wrapping/proxy_header.hpp"

namespace hf::wrapping {
namespace {

// The largest packet of MQTT: five bytes of header, then what they can say.
constexpr std::uint64_t message_max = 5 + 268'435'455;

constexpr std::uint16_t going_away = 1001;

}  // namespace

Wrapping::Wrapping(const Plan& plan) {
  if (plan.proxy_header) header_ = std::make_unique<std::string>();
  if (plan.tls) tls_ = std::make_unique<TlsSession>(plan.tls, plan.tls_end);
  if (plan.websocket_path) upgrade_ = std::make_unique<WebSocketUpgrade>(*plan.websocket_path);
}

void Wrapping::receive(std::string_view bytes, std::string& up, std::string& down) {
  if (state_ == State::over) return;
  if (!header_) return behind_header(bytes, up, down);
  const std::size_t before = header_->size();
  // No more of what follows is copied than a header can hold.
  header_->append(bytes.substr(0, proxy_header_max));
  ProxyHeader header;
  switch (parse_proxy_header(*header_, header)) {
    case ProxyParsed::need_more: return;
    case ProxyParsed::broken: return over("no valid PROXY header");
    case ProxyParsed::header: break;
  }
  proxied_for_ = std::move(header.source);
  header_.reset();
  behind_header(bytes.substr(header.size - before), up, down);
}

void Wrapping::behind_header(std::string_view bytes, std::string& up, std::string& down) {
  if (!tls_) return behind_tls(bytes, up, down);
  std::string plain;
  const bool last = !upgrade_ && !frames_;
  tls_->receive(bytes, last ? up : plain, down);
  if (tls_->was_open()) {
    if (last) {
      open();
    } else {
      std::string answer;
      behind_tls(plain, up, answer);
      if (!answer.empty()) tls_->send(answer, down);  // also to who has said that nothing more will come
    }
  }
  if (state_ == State::over) return tls_->close(down);
  if (tls_->state() == TlsSession::State::failed) return over(tls_->why());
  if (tls_->state() == TlsSession::State::ended) {
    over("");
    tls_->close(down);
  }
}

void Wrapping::behind_tls(std::string_view bytes, std::string& up, std::string& down) {
  if (!upgrade_ && !frames_) {
    open();
    up.append(bytes);
    return;
  }
  std::string behind;
  if (upgrade_) {
    switch (upgrade_->receive(bytes, down)) {
      case WebSocketUpgrade::State::reading: return;
      case WebSocketUpgrade::State::refused: return over(upgrade_->why());
      case WebSocketUpgrade::State::upgraded: break;
    }
    behind = upgrade_->left();
    bytes = behind;
    upgrade_.reset();
    frames_.emplace(message_max);
    open();
  }
  if (!frames_->receive(bytes, up, down)) over(frames_->breach());
}

void Wrapping::send(std::string_view part, std::size_t rest, std::string& down) {
  HF_ASSERT(state_ == State::open);
  if (!frames_) return tls_ ? tls_->send(part, down) : static_cast<void>(down.append(part));
  if (!tls_) return frames_->send(part, rest, down);
  std::string frame;
  frames_->send(part, rest, frame);
  tls_->send(frame, down);
}

void Wrapping::finish(std::string& down) {
  if (state_ != State::open) return;
  if (frames_) {
    std::string frame;
    frames_->close(going_away, frame);
    tls_ ? tls_->send(frame, down) : static_cast<void>(down.append(frame));
  }
  if (tls_) tls_->close(down);
  state_ = State::over;
}

void Wrapping::open() {
  state_ = State::open;
  was_open_ = true;
}

void Wrapping::over(std::string why) {
  state_ = State::over;
  why_ = std::move(why);
}

}  // namespace hf::wrapping
