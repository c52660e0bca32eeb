// Turns of the loop: events in, end_turn(), commits and writes out; deadlines; stopping.
#include "broker/host/host.hpp"

#include <csignal>
#include <utility>

#include "broker/base/assert.hpp"
#include "broker/host/doors.hpp"
#include "broker/host/host_environment.hpp"
#include "broker/host/streams.hpp"

namespace hf::host {
namespace {

// What ends a turn: heartbeats and answers leave only then, so one sender must not keep it going.
constexpr std::size_t events_per_turn = 256;
constexpr std::size_t bytes_per_turn = 256 * 1024;
constexpr Duration longest_wait = 1h;

StreamLimits limits_of(const HostOptions& options) {
  StreamLimits limits;
  limits.max_connections = options.max_connections;
  limits.max_handshakes = options.max_handshakes;
  limits.dial_timeout = options.dial_timeout;
  limits.handshake_timeout = options.handshake_timeout;
  limits.close_timeout = options.close_timeout;
  return limits;
}

}  // namespace

class Host::Loop final : public StreamEvents {
 public:
  explicit Loop(HostOptions options)
      : options_(std::move(options)),
        streams_(*this, limits_of(options_)),
        environment_(streams_, {options_.logs, options_.log, options_.die}) {}

  Result<void> listen() { return doors_.open(options_); }
  [[nodiscard]] const Doors& doors() const { return doors_; }
  Doors& doors() { return doors_; }
  [[nodiscard]] TurnedAway turned_away() const { return {streams_.full(), streams_.unfit_clients(), streams_.unfit_peers()}; }

  HostEnvironment& environment() { return environment_; }
  LoopContext& context() { return streams_.reactor().context(); }
  void post(std::function<void()> job) { streams_.reactor().post(std::move(job)); }

  void start(env::Handler& handler) {
    HF_ASSERT(handler_ == nullptr);
    handler_ = &handler;
    tell([](env::Handler& h) { h.on_start(); });
    end_turn();
  }

  void turn(Duration max_wait) {
    const std::uint64_t before = streams_.bytes_read();
    streams_.reactor().run(streams_.has_later() ? Duration::zero() : max_wait, [&](std::size_t events) {
      return events >= events_per_turn || streams_.bytes_read() - before >= bytes_per_turn;
    });
    streams_.expire();
    streams_.deliver_later();
    show_life();
    look_around();
    if (deadline_ && *deadline_ <= now()) {
      deadline_.reset();
      tell([](env::Handler& h) { h.on_deadline(); });
    }
    end_turn();
  }

  void run() {
    streams_.reactor().on_signals({SIGTERM, SIGINT, SIGHUP}, [this](int number) {
      if (number == SIGHUP) return reload();
      on_signal();
    });
    while (!handler_->stopped() && !(give_up_ && *give_up_ <= now())) {
      if (options_.announce && !give_up_ && options_.announce()) options_.announce = nullptr;
      turn(longest_wait);
    }
    if (!handler_->stopped()) {
      environment_.log({env::Level::warn, "stopping without waiting for what is under way"});
      return;
    }
    handler_ = nullptr;
    streams_.stop_listening();
    while (streams_.leaving() > 0 && !hurry_) turn(longest_wait);
  }

  void ask_stop() {
    if (give_up_) return;
    if (options_.stopping) options_.stopping();
    give_up_ = now() + options_.stop_timeout;
    tell([](env::Handler& h) { h.on_stop(); });
  }

  void reload() {
    if (!options_.reload || give_up_) return;
    tell([this](env::Handler&) { options_.reload(); });
  }

  /// All calls into the handler go through here: they make a turn that end_turn() ends.
  template <class Call>
  void tell(Call call) {
    if (handler_ == nullptr) return;
    in_turn_ = true;
    call(*handler_);
  }

  void accepted(StreamId id, const env::Arrival& arrival) override {
    tell([&](env::Handler& h) { h.on_accepted(id, arrival); });
  }
  void connected(StreamId id) override {
    tell([&](env::Handler& h) { h.on_connected(id); });
  }
  void bytes(StreamId id, const Bytes& bytes) override {
    tell([&](env::Handler& h) { h.on_bytes(id, bytes); });
  }
  void closed(StreamId id, env::CloseReason reason) override {
    tell([&](env::Handler& h) { h.on_closed(id, reason); });
  }
  void writable(StreamId id) override {
    tell([&](env::Handler& h) { h.on_writable(id); });
  }
  void warn(std::string_view text) override { environment_.log({env::Level::warn, text}); }
  [[nodiscard]] Instant now() const override { return environment_.now(); }

 private:
  void show_life() {
    if (!options_.alive_every || (next_alive_ && *next_alive_ > now())) return;
    next_alive_ = now() + *options_.alive_every;
    options_.alive();
  }

  void look_around() {
    if (!options_.each_second || handler_ == nullptr) return;
    const bool much = options_.each_bytes != 0 && streams_.bytes_read() >= looked_at_ + options_.each_bytes;
    if (!much && next_look_ && *next_look_ > now()) return;
    next_look_ = now() + 1s;
    looked_at_ = streams_.bytes_read();
    tell([this](env::Handler&) { options_.each_second(); });
  }

  void on_signal() {
    if (give_up_) {
      hurry_ = true;
      give_up_ = now();
      return;
    }
    environment_.log({env::Level::info, "asked to stop"});
    ask_stop();
  }

  void end_turn() {
    if (in_turn_) {
      in_turn_ = false;
      handler_->end_turn();
      deadline_ = handler_->deadline();
    }
    environment_.hand_over_commits();  // first: the disk is the slower of the two
    streams_.flush();
    arm();
  }

  /// The timer is moved only to an earlier time: moving it back at every turn would be a system call
  /// each; firing once too early is none.
  void arm() {
    std::optional<Instant> next = deadline_;
    const auto patience = handler_ != nullptr ? give_up_ : std::nullopt;
    for (const auto& other : {streams_.next_limit(), patience, next_alive_, handler_ != nullptr ? next_look_ : std::nullopt}) {
      if (other && (!next || *other < *next)) next = other;
    }
    if (!next) return;
    if (armed_ && *armed_ <= *next && *armed_ > now()) return;
    armed_ = next;
    streams_.reactor().wake_at(environment_.on_clock(*next));
  }

  HostOptions options_;
  Streams streams_;
  Doors doors_{streams_};
  HostEnvironment environment_;
  env::Handler* handler_ = nullptr;
  bool in_turn_ = false;
  bool hurry_ = false;
  std::optional<Instant> deadline_;
  std::optional<Instant> armed_;
  std::optional<Instant> next_alive_;
  std::optional<Instant> next_look_;
  std::uint64_t looked_at_ = 0;  ///< bytes read by then
  std::optional<Instant> give_up_;  ///< asked to stop; the handler has until then
};

Result<std::unique_ptr<Host>> Host::open(HostOptions options) {
  auto loop = std::make_unique<Loop>(std::move(options));
  if (auto bound = loop->listen(); !bound) return tl::make_unexpected(bound.error());
  return std::unique_ptr<Host>(new Host(std::move(loop)));
}

Result<void> Host::check_tls(const std::vector<ListenerOptions>& listeners, const std::optional<wrapping::TlsSettings>& peer_tls) {
  return Doors::check_tls(listeners, peer_tls);
}

Host::Host(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Host::~Host() = default;

env::Environment& Host::environment() { return loop_->environment(); }
std::uint16_t Host::client_port(std::size_t listener) const { return loop_->doors().client_port(listener); }
std::uint16_t Host::peer_port() const { return loop_->doors().peer_port(); }
TurnedAway Host::turned_away() const { return loop_->turned_away(); }
std::vector<CertificateEnd> Host::certificate_ends() const { return loop_->doors().certificate_ends(); }
Result<std::function<void()>> Host::prepare_tls(const std::vector<ListenerOptions>& listeners,
                                                const std::optional<wrapping::TlsSettings>& peer_tls) {
  return loop_->doors().prepare_tls(listeners, peer_tls);
}
void Host::attach(StoragePort storage) { loop_->environment().attach(std::move(storage)); }
void Host::start(env::Handler& handler) { loop_->start(handler); }
void Host::turn(Duration max_wait) { loop_->turn(max_wait); }
void Host::run() { loop_->run(); }

LoopContext& Host::loop_context() { return loop_->context(); }
void Host::in_turn(const std::function<void()>& job) {
  loop_->tell([&](env::Handler&) { job(); });
}

void Host::committed(std::vector<env::CommitId> ids, env::CommitStatus status) {
  loop_->post([loop = loop_.get(), ids = std::move(ids), status] {
    for (const auto id : ids) loop->tell([&](env::Handler& h) { h.on_committed(id, status); });
  });
}

void Host::rows(env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status) {
  // std::function copies: the rows travel behind a pointer.
  auto shared = std::make_shared<std::vector<env::Row>>(std::move(rows));
  loop_->post([loop = loop_.get(), id, shared, status] {
    loop->tell([&](env::Handler& h) { h.on_rows(id, std::move(*shared), status); });
  });
}

void Host::ask_stop() {
  loop_->post([loop = loop_.get()] { loop->ask_stop(); });
}

void Host::ask_reload() {
  loop_->post([loop = loop_.get()] { loop->reload(); });
}

}  // namespace hf::host
