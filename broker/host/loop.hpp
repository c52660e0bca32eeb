// The loop, for another service on the same thread: its handlers run within turns, between the events of the handler.
#pragma once

namespace boost::asio {
class io_context;
}

namespace hf::host {

/// A name for it that shows nothing of Asio.
using LoopContext = boost::asio::io_context;

}  // namespace hf::host
