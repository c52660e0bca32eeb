// The loop on Boost.Asio, used as a reactor only: concrete executors, readiness waits, no buffers.
#include "broker/host/reactor.hpp"

#include <cstring>
#include <optional>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

namespace hf::host {
namespace {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
using Watched = asio::posix::basic_stream_descriptor<Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;
using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;

}  // namespace

class Descriptor {
 public:
  Descriptor(asio::io_context& context, int handle, StreamId name)
      : watched(context.get_executor(), handle), id(name) {}
  Watched watched;
  StreamId id;
};

void DropDescriptor::operator()(Descriptor* descriptor) const { delete descriptor; }

struct Reactor::Loop {
  explicit Loop(ReadySink& target)
      : sink(target), guard(context.get_executor()), timer(context.get_executor()),
        resolver(context.get_executor()), signals(context.get_executor()) {}

  void next_signal() {
    signals.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      on_signal(number);
      next_signal();
    });
  }

  asio::io_context context{1};
  ReadySink& sink;
  asio::executor_work_guard<Executor> guard;
  Timer timer;
  Resolver resolver;
  asio::basic_signal_set<Executor> signals;
  std::function<void(int)> on_signal;
};

Reactor::Reactor(ReadySink& sink) : loop_(std::make_unique<Loop>(sink)) {}
Reactor::~Reactor() = default;

DescriptorPtr Reactor::watch(int handle, StreamId id) {
  return DescriptorPtr(new Descriptor(loop_->context, handle, id));
}

int Reactor::handle_of(const Descriptor& descriptor) {
  return const_cast<Descriptor&>(descriptor).watched.native_handle();  // Asio forgot the const
}

void Reactor::want(Descriptor& descriptor, Ready what) {
  // Captures ids, never the descriptor: it may be gone when the answer comes.
  descriptor.watched.async_wait(what == Ready::read ? Watched::wait_read : Watched::wait_write,
                                [loop = loop_.get(), id = descriptor.id, what](
                                    const boost::system::error_code& error) {
                                  if (error != asio::error::operation_aborted) {
                                    loop->sink.on_ready(id, what);
                                  }
                                });
}

void Reactor::run(Duration max_wait, const std::function<bool(std::size_t events)>& enough) {
  asio::io_context& context = loop_->context;
  std::size_t done = 0;
  if (max_wait > Duration::zero()) {
    done = context.run_one_for(max_wait);
    if (done == 0) return;
  }
  while (!enough(done) && context.poll_one() > 0) ++done;
}

void Reactor::wake_at(std::chrono::steady_clock::time_point when) {
  loop_->timer.expires_at(when);
  loop_->timer.async_wait([](const boost::system::error_code&) {});
}

LoopContext& Reactor::context() { return loop_->context; }

void Reactor::post(std::function<void()> job) { asio::post(loop_->context, std::move(job)); }

void Reactor::resolve(const std::string& host, std::uint16_t port,
                      std::function<void(std::vector<Endpoint>)> answer) {
  loop_->resolver.async_resolve(
      host, std::to_string(port), Resolver::numeric_service,
      [answer = std::move(answer)](const boost::system::error_code& error,
                                   const Resolver::results_type& results) {
        std::vector<Endpoint> endpoints;
        if (!error) {
          for (const auto& entry : results) {
            Endpoint endpoint;
            endpoint.size = static_cast<socklen_t>(entry.endpoint().size());
            std::memcpy(&endpoint.address, entry.endpoint().data(), endpoint.size);
            endpoints.push_back(endpoint);
          }
        }
        answer(std::move(endpoints));
      });
}

void Reactor::on_signals(std::initializer_list<int> numbers, std::function<void(int)> job) {
  loop_->on_signal = std::move(job);
  for (const int number : numbers) loop_->signals.add(number);
  loop_->next_signal();
}

}  // namespace hf::host
